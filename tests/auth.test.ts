import { describe, expect, spyOn, test } from "bun:test";
import fc from "fast-check";
import {
  currentActor,
  hashSecret,
  hostName,
  isForged,
  isLoopback,
  newSecret,
  Password,
  passwordWeakness,
  runAs,
  Throttle,
} from "../src/auth.ts";
import { ConfigError } from "../src/config/reader.ts";
import { readConfig } from "../src/config.ts";
import { covers, lacksScope, SCOPES } from "../src/domain/access.ts";
import { PROVIDERS } from "../src/providers/registry.ts";

test("only names and addresses of this machine are loopback", () => {
  for (const host of ["localhost", "127.0.0.1", "127.8.9.1", "::1", "[::1]", "app.localhost", "LOCALHOST"]) {
    expect([host, isLoopback(host)]).toEqual([host, true]);
  }
  for (const host of ["0.0.0.0", "::", "127.0.0.1.evil.example", "localhost.evil.example", "10.0.0.1", "1127.0.0.1"]) {
    expect([host, isLoopback(host)]).toEqual([host, false]);
  }
  expect(["localhost:3000", "[::1]:3000", "127.0.0.1"].map(hostName)).toEqual(["localhost", "[::1]", "127.0.0.1"]);
});

test("each scope includes those before it and no other, and that of workers neither includes one nor is included", () => {
  for (const [i, held] of SCOPES.entries()) {
    for (const [j, needed] of SCOPES.entries()) {
      const isWorkers = held === "worker" || needed === "worker";
      expect([held, needed, covers(held, needed)]).toEqual([held, needed, isWorkers ? held === needed : i >= j]);
    }
  }
});

test.each(["read", "ci", "needs", 'a "b"', "owner"])(
  "a refusal for a lack of scope is a sentence for the name %s too",
  (name) => {
    expect(lacksScope({ name, scope: "read" }, "admin")).toBe(
      `needs the scope admin; that of ${JSON.stringify(name)} is read`,
    );
  },
);

describe("a request is forged", () => {
  const forged = (headers: Record<string, string>) => isForged(new Headers({ Host: "bar.example", ...headers }));
  test("a request is forged when its browser says that another site sent it", () => {
    expect(forged({ "Sec-Fetch-Site": "cross-site" })).toBe(true);
    expect(forged({ "Sec-Fetch-Site": "same-site", Origin: "https://bar.example" })).toBe(true);
    expect(forged({ Origin: "https://evil.example" })).toBe(true);
    expect(forged({ Origin: "https://bar.example.evil.example" })).toBe(true);
    expect(forged({ Origin: "null" })).toBe(true);
  });
  test("a request from our own page, also behind TLS, or from a program is not forged", () => {
    expect(forged({ "Sec-Fetch-Site": "same-origin" })).toBe(false);
    expect(forged({ "Sec-Fetch-Site": "none" })).toBe(false);
    expect(forged({ Origin: "https://bar.example" })).toBe(false);
    expect(forged({})).toBe(false);
  });
  test("a proxy may drop the port of the host if the page has the origin of BARKEEP_URL", () => {
    const at = (Origin: string, publicUrl?: string, Host = "bar.example") =>
      isForged(new Headers({ Host, Origin }), publicUrl);
    expect(at("http://bar.example:8080", "http://bar.example:8080/barkeep")).toBe(false);
    expect(at("http://bar.example:8080", "http://bar.example:8080", "BAR.example")).toBe(false);
    expect(at("http://bar.example:8080")).toBe(true);
    expect(at("http://bar.example:9090", "http://bar.example:8080")).toBe(true);
    expect(at("https://bar.example:8080", "http://bar.example:8080")).toBe(true);
    expect(at("http://bar.example:8080", "http://bar.example:8080", "localhost")).toBe(true);
    const headers = { Host: "bar.example", Origin: "http://bar.example:8080", "Sec-Fetch-Site": "cross-site" };
    expect(isForged(new Headers(headers), "http://bar.example:8080")).toBe(true);
  });
});

describe("login attempts", () => {
  test("login attempts wait twice as long each time, and a successful one clears the address", () => {
    let now = 0;
    const throttle = new Throttle(() => now);
    const waits: number[] = [];
    for (let i = 0; i < 8; i++) {
      expect(throttle.take("a")).toBe(0);
      const wait = throttle.take("a");
      waits.push(wait);
      now += wait;
      if (wait === 0) i += 1;
    }
    expect(waits.filter((wait) => wait > 0)).toEqual(
      [1_000, 2_000, 4_000, 8_000, 16_000, 32_000].slice(0, waits.length - 1),
    );
    expect(throttle.take("b")).toBe(0);
    throttle.reset("a");
    expect([throttle.take("a"), throttle.take("a")]).toEqual([0, 0]);
  });

  test("login attempts from one address are at most a few in an hour, however they are timed", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 5_000 }), { maxLength: 400 }), (pauses) => {
        let now = 0;
        let allowed = 0;
        const throttle = new Throttle(() => now);
        for (const pause of pauses) {
          now += pause;
          if (throttle.take("a") === 0) allowed += 1;
        }
        // 2 free ones, then 1, 2, 4, … seconds apart.
        expect(allowed).toBeLessThanOrEqual(4 + Math.log2(1 + now / 1_000));
      }),
    );
  });
});

test("a password is verified without blocking the main thread", async () => {
  const password = new Password(
    await Bun.password.hash("correct horse", { algorithm: "argon2id", memoryCost: 8, timeCost: 1 }),
  );
  expect(await Promise.all([password.verify("wrong"), password.verify("correct horse")])).toEqual([false, true]);
});

describe("many passwords to verify", () => {
  const slow = Bun.password.hashSync("correct horse", { algorithm: "bcrypt", cost: 8 });

  test("of many guesses at once the newest are verified, and the others are given up instead of waiting", async () => {
    const password = new Password(slow);
    const guesses = Array.from({ length: 60 }, (_, i) => password.verify(`wrong ${i}`));
    expect(await password.verify("correct horse")).toBe(true);
    const answers = await Promise.all(guesses);
    expect(answers.filter((answer) => answer === false).length).toBeLessThanOrEqual(5);
    expect(new Set(answers)).toEqual(new Set([false, null]));
  });

  test("a password that is known is compared without its hash, so that guesses delay nobody", async () => {
    const known = [new Password("not a hash", "correct horse"), new Password(slow)];
    expect(await known[1]!.verify("correct horse")).toBe(true);
    const verify = spyOn(Bun.password, "verify");
    for (const password of known) {
      const answers = await Promise.all(Array.from({ length: 60 }, (_, i) => password.verify(`wrong ${i}`)));
      expect(new Set(answers)).toEqual(new Set([false]));
      expect(await password.verify("correct horse")).toBe(true);
    }
    expect(verify).not.toHaveBeenCalled();
    verify.mockRestore();
  });
});

test("a hash is no password: whoever reads it could sign in with it", () => {
  for (const hash of ["$argon2id$v=19$m=65536,t=2,p=1$c2FsdA$aGFzaA", "$2b$10$abcdefghijklmnopqrstuv"])
    expect(passwordWeakness(hash)).toContain("BARKEEP_PASSWORD_HASH");
});

test("passwords that are tried first are weak, with the reason", () => {
  const weak = ["password", "PASSWORD1", "12345678", "qwertyuiop", "aaaaaaaaa", "barkeep2026", "Barkeep!", "iloveyou"];
  for (const each of weak) expect([each, passwordWeakness(each)]).toEqual([each, expect.any(String)]);
  for (const each of ["correct horse battery", "tr0ub4dor&3x", "long enough"])
    expect(passwordWeakness(each)).toBeNull();
});

test("secrets differ, and their hashes reveal nothing of them", () => {
  const secrets = new Set(Array.from({ length: 100 }, () => newSecret("bk_")));
  expect(secrets.size).toBe(100);
  for (const secret of secrets) {
    expect(secret).toMatch(/^bk_[\w-]{43}$/);
    expect(hashSecret(secret)).toMatch(/^[0-9a-f]{64}$/);
  }
});

test("there is no current actor outside of an action, nor after its end in what it left behind", async () => {
  const actor = { name: "ada", scope: "operate" } as const;
  expect(currentActor()).toBeUndefined();
  const { promise: later, resolve } = Promise.withResolvers<void>();
  let left: Promise<unknown> = Promise.resolve();
  await runAs(actor, "because", async () => {
    expect(currentActor()).toMatchObject({ actor, reason: "because" });
    left = later.then(() => currentActor());
  });
  resolve();
  expect(await left).toBeUndefined();
});

describe("settings", () => {
  const faults = (env: Record<string, string>) => {
    try {
      readConfig(env, PROVIDERS);
      return "";
    } catch (error) {
      if (error instanceof ConfigError) return error.message;
      throw error;
    }
  };
  test("an address that others can reach needs a password", () => {
    for (const HOST of ["0.0.0.0", "::", "192.168.1.5", "bar.example"]) {
      expect(faults({ HOST })).toContain(`because HOST=${HOST} opens Barkeep to the network`);
      expect(faults({ HOST, BARKEEP_PASSWORD: "long enough" })).toBe("");
    }
    expect(faults({ HOST: "localhost" })).toBe("");
  });
  test("a password that is easy to guess is refused with the reason and without being shown", () => {
    const message = faults({ BARKEEP_PASSWORD: "Football1" });
    expect(message).toContain("BARKEEP_PASSWORD");
    expect(message).toContain("among the 3,000");
    expect(message).not.toContain("Football1");
  });
  test("a short password, a broken hash or both at once are refused without being shown", () => {
    expect(faults({ BARKEEP_PASSWORD: "short7!" })).toContain("at least 8 characters");
    expect(faults({ BARKEEP_PASSWORD: "        " })).toContain("at least 8 characters");
    expect(faults({ BARKEEP_SECRET: " " })).toContain("BARKEEP_SECRET");
    expect(faults({ BARKEEP_PASSWORD: "short7!" })).not.toContain("short7!");
    expect(faults({ BARKEEP_PASSWORD_HASH: "argon2id=19" })).toMatch(
      /BARKEEP_PASSWORD_HASH .* backslash before each \$/,
    );
    const hash = Bun.password.hashSync("x", { algorithm: "bcrypt", cost: 4 });
    expect(faults({ HOST: "0.0.0.0", BARKEEP_PASSWORD_HASH: hash })).toBe("");
    expect(faults({ BARKEEP_PASSWORD: "long enough", BARKEEP_PASSWORD_HASH: hash })).toContain("is set too");
  });
});
