import { expect, test } from "bun:test";
import { Hono } from "hono";
import { ClientAddresses, networkOf } from "../../../src/routes/access/client-address.ts";
import { SessionCookie } from "../../../src/routes/access/session-cookie.ts";

/** The address and scheme that are found for a request from `peer`. */
async function seen(trusted: string[], peer: string, headers: Record<string, string>) {
  const clients = new ClientAddresses(trusted);
  const app = new Hono().get("/", (c) => c.json([clients.of(c), clients.isSecure(c)]));
  const response = await app.request("/", { headers }, { requestIP: () => ({ address: peer }) });
  return (await response.json()) as [address: string, isSecure: boolean];
}

test("forwarded headers count only from trusted proxies", async () => {
  const forged = { "X-Forwarded-For": "203.0.113.7", "X-Forwarded-Proto": "https" };
  expect(await seen([], "127.0.0.1", forged)).toEqual(["127.0.0.1", false]);
  expect(await seen(["10.0.0.0/8"], "::ffff:127.0.0.1", forged)).toEqual(["127.0.0.1", false]);
  expect(await seen(["127.0.0.1"], "127.0.0.1", forged)).toEqual(["203.0.113.7", true]);
  expect(await seen(["127.0.0.1"], "::ffff:127.0.0.1", forged)).toEqual(["203.0.113.7", true]);
  expect(await seen(["fd00::/8"], "fd12::1", forged)).toEqual(["203.0.113.7", true]);
  expect(await seen(["127.0.0.1"], "127.0.0.1", {})).toEqual(["127.0.0.1", false]);
});

test("the client is the last address that no trusted proxy has, whatever it wrote before", async () => {
  const of = async (header: string) =>
    (await seen(["127.0.0.1", "10.0.0.0/8"], "127.0.0.1", { "X-Forwarded-For": header }))[0];
  expect(await of("1.1.1.1, 203.0.113.7")).toBe("203.0.113.7");
  expect(await of("1.1.1.1, 203.0.113.7, 10.1.2.3")).toBe("203.0.113.7");
  expect(await of("203.0.113.7:5151")).toBe("203.0.113.7");
  expect(await of("[2001:db8::1]:5151")).toBe("2001:db8::1");
  expect(await of("1.1.1.1, nonsense")).toBe("127.0.0.1");
  expect(await of("nonsense, 10.1.2.3")).toBe("10.1.2.3");
  expect(await of("")).toBe("127.0.0.1");
});

test("an IPv4 address is the same client and the same proxy in every spelling as IPv6", async () => {
  const of = async (peer: string, header: string) =>
    (await seen(["127.0.0.1", "10.0.0.0/8"], peer, { "X-Forwarded-For": header }))[0];
  const spellings = ["::ffff:203.0.113.7", "::FFFF:cb00:7107", "0:0:0:0:0:ffff:203.0.113.7", "[::ffff:cb00:7107]:5151"];
  for (const spelling of spellings) expect(await of("127.0.0.1", spelling)).toBe("203.0.113.7");
  expect(await of("::ffff:7f00:1", "203.0.113.7, ::ffff:a01:203")).toBe("203.0.113.7");
  expect(await of("127.0.0.1", "::ffff:0:cb00:7107")).toBe("::ffff:0:cb00:7107");
  expect(await of("127.0.0.1", "fe80::1%eth0")).toBe("fe80::1%eth0");
});

test("all addresses of an IPv6 /64 are one network, others are not", () => {
  const same = ["2001:db8:1:2::1", "2001:db8:1:2:3:4:5:6", "2001:0db8:0001:0002::", "2001:db8:1:2:ffff::"];
  expect(new Set(same.map(networkOf))).toEqual(new Set(["2001:db8:1:2::/64"]));
  expect(networkOf("2001:db8:1:3::1")).toBe("2001:db8:1:3::/64");
  expect(networkOf("::1")).toBe("0:0:0:0::/64");
  expect(networkOf("fe80::1%eth0")).toBe("fe80:0:0:0::/64");
  expect(["203.0.113.7", "unknown"].map(networkOf)).toEqual(["203.0.113.7", "unknown"]);
});

test("with an https BARKEEP_URL the session's cookie is always Secure and bound to the host", async () => {
  const cookie = new SessionCookie(
    { publicUrl: "https://barkeep.example" },
    new ClientAddresses([], "https://barkeep.example"),
  );
  const app = new Hono().get("/", (c) => {
    cookie.set(c, "secret", 60);
    return c.text(cookie.read(c) ?? "none");
  });
  const ask = (Cookie: string) => app.request("http://barkeep.example/", { headers: { Cookie } });
  const answer = await ask("__Host-barkeep-session=mine");
  expect(await answer.text()).toBe("mine");
  expect(answer.headers.get("Set-Cookie")).toBe(
    "__Host-barkeep-session=secret; Max-Age=60; Path=/; HttpOnly; Secure; SameSite=Lax",
  );
  expect(await (await ask("barkeep-session=planted")).text()).toBe("none");
});
