/** Requests on kept connections: how they are reused, and what is read of the answers. */

import { expect, test } from "bun:test";
import { type AddressInfo, connect, createServer } from "node:net";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { NotSentError, sendGet } from "../../src/providers/http-request.ts";
import { CERTIFICATE } from "../fakes/certificate.ts";
import { answerWell, BREAKS, startRawServer } from "../fakes/raw-server.ts";
import { temporaryFolder } from "../helpers/folder.ts";

const MOST = 10_000;
const never = new AbortController().signal;
const open = (url: string, more: { signal?: AbortSignal; isSingle?: boolean } = {}) =>
  sendGet(new URL(url), { headers: {}, signal: never, ...more });

async function bodyOf(url: string, more = {}): Promise<string | null> {
  const response = await open(url, more);
  return (await response.body(MOST))?.toString() ?? null;
}

const failureOf = (work: Promise<unknown>): Promise<Error> =>
  work.then(
    () => Promise.reject(new Error("it did not fail")),
    (error) => error,
  );

test("a connection is kept for the next request, also by a body that was encoded", async () => {
  using server = await startRawServer((socket) => {
    const body = gzipSync("{}");
    socket.write(`HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: ${body.length}\r\n\r\n`);
    socket.write(body);
  });
  for (let count = 0; count < 3; count++) expect(await bodyOf(server.url)).toBe("{}");
  expect([server.seen(), server.connections()]).toEqual([3, 1]);
});

test.each(BREAKS)("a request is sent once when %s on a kept connection", async (_, isBefore, answer) => {
  using server = await startRawServer((socket, nth) => (nth === 1 ? answerWell(socket) : answer(socket)));
  for (let count = 1; count <= 3; count++) {
    expect(await bodyOf(server.url)).toBe("{}");
    const error = await failureOf(isBefore ? open(server.url) : bodyOf(server.url));
    expect([error instanceof NotSentError, server.seen(), server.connections()]).toEqual([false, 2 * count, count]);
  }
});

test("a connection that was closed meanwhile is not taken", async () => {
  let closed = Promise.withResolvers<void>();
  using server = await startRawServer((socket) => {
    socket.once("close", () => closed.resolve());
    answerWell(socket);
    socket.end();
  });
  for (let count = 0; count < 3; count++) {
    closed = Promise.withResolvers();
    expect(await bodyOf(server.url)).toBe("{}");
    await closed.promise;
  }
  expect([server.seen(), server.connections()]).toEqual([3, 3]);
});

test("a request that wants a connection of its own takes none that was kept, and leaves none", async () => {
  using server = await startRawServer(answerWell);
  await bodyOf(server.url);
  await bodyOf(server.url, { isSingle: true });
  await bodyOf(server.url, { isSingle: true });
  await bodyOf(server.url);
  expect([server.seen(), server.connections()]).toEqual([4, 3]);
});

const text = JSON.stringify(Array(100).fill({ close: 1 }));
const ENCODINGS = [
  ["gzip", gzipSync],
  ["deflate", deflateSync],
  ["br", brotliCompressSync],
  ["zstd", zstdCompressSync],
] as const;

/** A server that answers with these bytes. */
function answering(body: string | Uint8Array<ArrayBuffer>, encoding?: string) {
  const headers = encoding === undefined ? undefined : { "content-encoding": encoding };
  return asDisposable(
    Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response(body, headers && { headers }) }),
  );
}
const asDisposable = (server: Bun.Server<undefined>) =>
  Object.assign(server, { [Symbol.asyncDispose]: () => server.stop(true) });

test.each(ENCODINGS)("a body in %s is decoded, and one that expands too far is refused", async (name, encode) => {
  await using small = answering(new Uint8Array(encode(text)), name);
  expect(await bodyOf(small.url.href)).toBe(text);
  await using bomb = answering(new Uint8Array(encode(Buffer.alloc(2 ** 20))), name);
  expect(await bodyOf(bomb.url.href)).toBe(null);
});

test("a body may be as large as its limit, and not larger", async () => {
  for (const [length, isRead] of [
    [MOST, true],
    [MOST + 1, false],
  ] as const) {
    await using plain = answering("x".repeat(length));
    expect((await bodyOf(plain.url.href))?.length).toBe(isRead ? MOST : undefined);
    await using packed = answering(new Uint8Array(gzipSync("x".repeat(length))), "gzip");
    expect((await bodyOf(packed.url.href))?.length).toBe(isRead ? MOST : undefined);
  }
});

test("no more of a body without an end is read than its limit", async () => {
  let sent = 0;
  using server = await startRawServer((socket) => {
    socket.write("HTTP/1.1 200 OK\r\n\r\n");
    const more = () => {
      while (!socket.destroyed && sent < 2 ** 28 && socket.write("x".repeat(1_000))) sent += 1_000;
    };
    socket.on("drain", more);
    more();
  });
  expect(await bodyOf(server.url)).toBe(null);
  // What lies in the buffers of the two sockets.
  expect(sent).toBeLessThan(2 ** 26);
});

test("a body that ends within its encoding, or has one that was not asked for, is an error", async () => {
  await using cut = answering(new Uint8Array(gzipSync(text).subarray(0, -9)), "gzip");
  expect((await failureOf(bodyOf(cut.url.href))).message).toBe("unexpected end of file");
  await using strange = answering(text, "lzma");
  expect((await failureOf(bodyOf(strange.url.href))).message).toContain("not asked for");
});

test.each([
  ["headers without an end", `HTTP/1.1 200 OK\r\n${"h: aaaaaaaaaaaaaaa\r\n".repeat(10_000)}`, "HPE_HEADER_OVERFLOW"],
  ["two lengths", "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n{}", "HPE_INVALID"],
  ["what is not HTTP", "SSH-2.0-OpenSSH\r\n", "HPE_INVALID"],
])("an answer with %s is an error of a request that was sent", async (_, answer, code) => {
  using server = await startRawServer((socket) => void socket.write(answer));
  const error = await failureOf(open(server.url));
  expect(error).not.toBeInstanceOf(NotSentError);
  expect("code" in error && error.code).toStartWith(code);
});

test("a change to another protocol ends the request", async () => {
  using server = await startRawServer(
    (socket) => void socket.write("HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n"),
  );
  expect((await failureOf(open(server.url))).message).toBe("the answer is another protocol");
});

test("a request ends when it is stopped, before its answer and within it, and so does its connection", async () => {
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  const stop = new AbortController();
  using server = await startRawServer((socket) => {
    socket.once("close", () => resolve());
    stop.abort();
  });
  expect((await failureOf(open(server.url, { signal: stop.signal }))).name).toBe("AbortError");
  await closed;

  const ended = Promise.withResolvers<void>();
  const later = new AbortController();
  using slow = await startRawServer((socket) => {
    socket.once("close", () => ended.resolve());
    socket.write("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{}");
  });
  const response = await open(slow.url, { signal: later.signal });
  const body = failureOf(response.body(MOST));
  later.abort();
  await body;
  await ended.promise;

  await failureOf(open(server.url, { signal: stop.signal }));
  expect(server.seen()).toBe(1);
});

test("a server whose certificate is not trusted gets no request", async () => {
  let seen = 0;
  const answer = () => {
    seen += 1;
    return new Response("{}");
  };
  await using server = asDisposable(Bun.serve({ port: 0, hostname: "127.0.0.1", tls: CERTIFICATE, fetch: answer }));
  const error = await failureOf(open(server.url.href));
  expect(error).toBeInstanceOf(NotSentError);
  expect([error.message, seen]).toEqual(["self signed certificate", 0]);
});

/** A process of its own, with these settings, that sends requests one after another. */
function inProcess(urls: readonly string[], env: Readonly<Record<string, string>>) {
  const source = fileURLToPath(new URL("../../src/providers/http-request.ts", import.meta.url));
  const script = `
    import { sendGet } from ${JSON.stringify(source)};
    for (const url of ${JSON.stringify(urls)}) {
      try {
        const response = await sendGet(new URL(url), { headers: {}, signal: AbortSignal.timeout(20_000) });
        console.log(response.status, String(await response.body(100)));
      } catch (error) {
        console.log(String(error));
      }
    }`;
  return Bun.spawn([process.execPath, "--no-env-file", "-e", script], { env: { ...env }, stderr: "inherit" });
}

test("a proxy that is no HTTP proxy is not passed by, and its password is not named", async () => {
  using server = await startRawServer(answerWell);
  const child = inProcess([server.url], { http_proxy: "socks5://me:pa55word@127.0.0.1:9" });
  expect(await new Response(child.stdout).text()).toBe("NotSentError: http_proxy is not the URL of an HTTP proxy\n");
  expect(server.seen()).toBe(0);
});

test("requests go through the proxy of HTTPS_PROXY in one tunnel, past it by NO_PROXY, and NODE_EXTRA_CA_CERTS is trusted", async () => {
  using folder = temporaryFolder();
  await Bun.write(`${folder.path}/ca.pem`, CERTIFICATE.cert);
  await using target = asDisposable(
    Bun.serve({ port: 0, hostname: "127.0.0.1", tls: CERTIFICATE, fetch: () => new Response("{}") }),
  );
  const tunnels: string[] = [];
  const proxy = createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", (data) => {
      tunnels.push(data.toString().split("\r\n")[0]!);
      const onward = connect(target.port!, "127.0.0.1", () => {
        socket.write("HTTP/1.1 200 OK\r\n\r\n");
        socket.pipe(onward).pipe(socket);
      });
      onward.on("error", () => {});
    });
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", () => resolve()));
  const child = inProcess(
    ["localhost", "localhost", "127.0.0.1"].map((host) => `https://${host}:${target.port}/`),
    {
      HTTPS_PROXY: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
      NO_PROXY: "127.0.0.1",
      NODE_EXTRA_CA_CERTS: `${folder.path}/ca.pem`,
    },
  );
  expect(await new Response(child.stdout).text()).toBe("200 {}\n".repeat(3));
  // It ends by itself: an idle connection does not keep a process.
  expect(await child.exited).toBe(0);
  proxy.close();
  expect(tunnels).toEqual([`CONNECT localhost:${target.port} HTTP/1.1`]);
});
