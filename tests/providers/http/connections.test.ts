/** Connections that break: every request that a vendor has seen is counted. */

import { expect, test } from "bun:test";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { VendorClient } from "../../../src/providers/http/client.ts";
import { recordingContext } from "../fetch-context.ts";

/** A server on loopback that sees raw requests. */
async function rawServer(answer: (socket: Socket, nth: number) => void) {
  let seen = 0;
  const server = createServer((socket) => {
    let nth = 0;
    // A client may be gone before the end.
    socket.on("error", () => {});
    socket.on("data", (data) => {
      const requests = data.toString("latin1").match(/^GET /gm)?.length ?? 0;
      seen += requests;
      nth += requests;
      answer(socket, nth);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen: () => seen,
    [Symbol.dispose]: () => void server.close(),
  };
}

const clientOf = (baseUrl: string) =>
  new VendorClient(
    { title: "Raw", baseUrl, keyVariables: [], secrets: [], headers: {}, domains: [] },
    { backoffMs: 1, random: () => 0 },
  );
const request = { path: "/bars", query: {}, cost: 3 };
const answerWell = (socket: Socket) =>
  void socket.write("HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: keep-alive\r\n\r\n{}");

test("a request is not sent again behind the limiter's back when a kept connection breaks", async () => {
  using server = await rawServer((socket, nth) => (nth === 1 ? answerWell(socket) : void socket.destroy()));
  const client = clientOf(server.url);
  const context = recordingContext();
  for (let count = 0; count < 5; count++) {
    await client.get(request, context);
    // The connection, if it is kept, is free again.
    await Bun.sleep(1);
  }
  expect(context.costs.length).toBe(server.seen());
  expect(context.ends.length).toBe(server.seen());
});

test("a request whose connection was closed without an answer has reached the vendor, and costs what it costs", async () => {
  using server = await rawServer((socket) => void socket.destroy());
  const context = recordingContext();
  const error = await clientOf(server.url)
    .get(request, context)
    .catch((thrown) => thrown);
  expect(error.message).toStartWith("Raw: connection closed without an answer");
  expect([server.seen(), context.costs]).toEqual([5, [3, 3, 3, 3, 3]]);
  expect(context.reports.some(({ charged }) => charged !== undefined)).toBe(false);
});

test("a request whose connection never came about costs nothing", async () => {
  // What answers does not speak TLS.
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.on("data", () => socket.end("nonsense\r\n\r\n"));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  const context = recordingContext();
  const error = await clientOf(`https://127.0.0.1:${(server.address() as AddressInfo).port}`)
    .get(request, context)
    .catch((thrown) => thrown);
  server.close();
  expect(error.message).toStartWith("Raw: no connection");
  expect(context.reports).toEqual(Array(5).fill({ charged: 0 }));
});
