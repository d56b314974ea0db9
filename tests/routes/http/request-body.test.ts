import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { connect } from "node:net";
import { Hono } from "hono";
import { RequestBodies } from "../../../src/routes/http/request-body.ts";
import { problem } from "../../../src/routes/problem.ts";
import { startApp, type TestApp } from "../../helpers/app.ts";
import { PASSWORD_HASH } from "../../helpers/password.ts";

const LIMITS = { size: 100_000, time: 30_000 };

function serve(bodies: RequestBodies, limits = LIMITS) {
  const app = new Hono();
  app.use(bodies.reader(problem, limits));
  app.post("/", async (c) => c.json({ length: (await c.req.arrayBuffer()).byteLength, form: await c.req.parseBody() }));
  return async (body: RequestInit["body"], headers: Record<string, string> = {}) =>
    app.request("/", { method: "POST", body, headers });
}

/** A body of which `first` arrives and then nothing, until the test breaks it off. */
function unfinished(first: Uint8Array) {
  let fail: (error: Error) => void = () => {};
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(first);
      fail = (error) => controller.error(error);
    },
  });
  return { body, breakOff: () => fail(new Error("the connection was closed")) };
}

describe("the body of a request", () => {
  test("a body reaches the handler whole, as bytes and as a form", async () => {
    const post = serve(new RequestBodies());
    expect(await (await post("x".repeat(99_999))).json()).toEqual({ length: 99_999, form: {} });
    const form = await (await post(new URLSearchParams({ a: "1", b: "ü" }))).json();
    expect(form).toEqual({ length: 12, form: { a: "1", b: "ü" } });
  });

  test("a body that is too large is refused, announced or not", async () => {
    const post = serve(new RequestBodies());
    expect((await post("x".repeat(100_001))).status).toBe(413);
    expect((await post(unfinished(new Uint8Array(100_001)).body)).status).toBe(413);
    expect((await post("x", { "Content-Length": "100001" })).status).toBe(413);
  });

  test("a body that does not end in time is refused, and its connection is closed", async () => {
    const bodies = new RequestBodies();
    const answer = await serve(bodies, { size: 100_000, time: 5 })(unfinished(new Uint8Array(50_000)).body);
    expect([answer.status, answer.headers.get("Connection")]).toEqual([408, "close"]);
    expect(bodies.incomplete).toBe(0);
  });

  test("a body that breaks off, and a form that cannot be parsed, are bad requests", async () => {
    const post = serve(new RequestBodies());
    const { body, breakOff } = unfinished(new Uint8Array(10));
    const answer = post(body);
    breakOff();
    expect((await answer).status).toBe(400);
    for (const type of ["multipart/form-data", "multipart/form-data; boundary=x", "multipart/form-data; boundary="]) {
      for (const text of ["", "--x", '--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nb', "nothing"]) {
        const { status } = await post(text, { "Content-Type": type });
        expect([type, text, status === 400 || status === 200]).toEqual([type, text, true]);
      }
    }
    expect((await post("nothing", { "Content-Type": "multipart/form-data" })).status).toBe(400);
  });

  test("a thousand unfinished bodies together hold no more than their budget, and small ones are still read", async () => {
    const bodies = new RequestBodies();
    const post = serve(bodies);
    const open = Array.from({ length: 1_000 }, () => unfinished(new Uint8Array(60_000)));
    const answers = open.map(({ body }) => post(body));
    const statuses: number[] = [];
    for (const answer of answers) void answer.then(({ status }) => statuses.push(status));
    while (statuses.length < 500) await Bun.sleep(1);
    expect(new Set(statuses)).toEqual(new Set([503]));
    expect(bodies.incomplete).toBeLessThanOrEqual(18 * 1024 * 1024);
    expect((await post("x".repeat(5_000))).status).toBe(200);
    for (const { breakOff } of open) breakOff();
    await Promise.all(answers);
    expect(bodies.incomplete).toBe(0);
    expect((await post("x".repeat(90_000))).status).toBe(200);
  });
});

describe("the body of a worker, whose length is announced", () => {
  const path = "/api/worker/sync";
  const LENGTH = 100_000;
  /** Answers with the length of the body, over a real connection. */
  function listen(bodies: RequestBodies, time = 30_000) {
    const app = new Hono();
    app.use(bodies.reader(problem, { size: LENGTH, time }));
    app.post(path, async (c) => c.text(`${(await c.req.arrayBuffer()).byteLength}`));
    return Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: app.fetch });
  }
  /** Announces so many bytes and sends some of them; resolves with the answer. */
  function send(port: number, announced: number, sent: number) {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    let text = "";
    const socket = connect(port, "127.0.0.1");
    socket.on("error", reject);
    socket.on("data", (data) => {
      text += data;
      if (text.includes("\r\n\r\n")) resolve(text);
    });
    socket.on("close", () => resolve(text));
    socket.write(`POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${announced}\r\n\r\n${"x".repeat(sent)}`);
    return { answer: promise, socket };
  }

  test("it reaches the handler whole", async () => {
    const bodies = new RequestBodies();
    using server = listen(bodies);
    for (const length of [0, 1, 7_000, LENGTH]) {
      const answer = await fetch(new URL(path, server.url), { method: "POST", body: "x".repeat(length) });
      expect([answer.status, await answer.text()]).toEqual([200, `${length}`]);
    }
    expect(bodies.incomplete).toBe(0);
  });

  test("one that is announced as too large, or does not end in time, is refused and its connection closed", async () => {
    const bodies = new RequestBodies();
    using server = listen(bodies, 50);
    for (const [announced, status] of [
      [LENGTH + 1, "413"],
      [LENGTH, "408"],
    ] as const) {
      const { answer, socket } = send(server.port!, announced, 10);
      expect(await answer).toMatch(new RegExp(`^HTTP/1.1 ${status} [^]*connection: close`, "i"));
      socket.destroy();
    }
    expect(bodies.incomplete).toBe(0);
  });

  test("unfinished ones hold the memory that they announce, and give it back when they are broken off", async () => {
    const bodies = new RequestBodies(500_000);
    using server = listen(bodies);
    const first = send(server.port!, LENGTH, 10);
    const second = send(server.port!, LENGTH, 10);
    while (bodies.incomplete < 2 * LENGTH) await Bun.sleep(1);
    expect(await send(server.port!, LENGTH, LENGTH).answer).toStartWith("HTTP/1.1 503");
    first.socket.destroy();
    second.socket.destroy();
    while (bodies.incomplete > 0) await Bun.sleep(1);
    expect(await send(server.port!, LENGTH, LENGTH).answer).toStartWith("HTTP/1.1 200");
  });
});

describe("before the login", () => {
  let app: TestApp;
  beforeAll(async () => {
    app = await startApp({ env: { BARKEEP_PASSWORD_HASH: PASSWORD_HASH, BARKEEP_WORKERS: "1" } });
  });
  afterAll(() => app[Symbol.asyncDispose]());

  /** The status line of the answer to a request whose body never ends. */
  const answerTo = (head: string, body: string) =>
    new Promise<string>((resolve, reject) => {
      const { hostname, port } = new URL(app.url);
      const socket = connect(Number(port), hostname);
      socket.on("error", reject);
      socket.on("data", (data) => {
        resolve(data.toString().split("\r\n")[0]!);
        socket.destroy();
      });
      socket.write(`${head}\r\nHost: ${hostname}\r\nTransfer-Encoding: chunked\r\n\r\n${body}`);
    });

  test("who may not come in is refused before the body has ended", async () => {
    const some = "5\r\nhello\r\n";
    for (const path of ["/companies/import", "/api/companies/import", "/api/runs", "/theme", "/nowhere"]) {
      expect([path, await answerTo(`POST ${path} HTTP/1.1`, some)]).toEqual([path, "HTTP/1.1 401 Unauthorized"]);
    }
    expect(await answerTo("POST /login HTTP/1.1\r\nOrigin: http://evil.example", some)).toContain("403");
    // The login's own form is short.
    const long = `5000\r\n${"x".repeat(0x5000)}\r\n`;
    expect(await answerTo("POST /login HTTP/1.1", long)).toContain("413");
  });

  test("a form that cannot be read is a bad request and leaves nothing in the log", async () => {
    const before = app.printed.length;
    for (const path of ["/login"]) {
      const headers = { "Content-Type": "multipart/form-data; boundary=x" };
      const answer = await fetch(app.url + path, { method: "POST", body: "--y", headers });
      expect([path, answer.status]).toEqual([path, 400]);
    }
    expect(app.printed.slice(before)).toEqual([]);
  });
});
