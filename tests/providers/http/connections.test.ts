/** Connections that break: every request that a vendor has seen is counted. */

import { expect, test } from "bun:test";
import { type AddressInfo, createServer } from "node:net";
import { VendorClient } from "../../../src/providers/http/client.ts";
import { answerWell, BREAKS, startRawServer } from "../../fakes/raw-server.ts";
import { recordingContext } from "../fetch-context.ts";

const clientOf = (baseUrl: string) =>
  new VendorClient(
    { title: "Raw", baseUrl, keyVariables: [], secrets: [], headers: {}, domains: [] },
    { backoffMs: 1, random: () => 0 },
  );
const request = { path: "/bars", query: {}, cost: 3 };

test("requests to a vendor share a connection", async () => {
  using server = await startRawServer(answerWell);
  const client = clientOf(server.url);
  for (let count = 0; count < 5; count++) await client.get(request, recordingContext());
  expect([server.seen(), server.connections()]).toEqual([5, 1]);
});

test.each(BREAKS)(
  "every request that was sent is counted when %s on a kept connection",
  async (_, isBefore, answer) => {
    using server = await startRawServer((socket, nth) => (nth === 1 ? answerWell(socket) : answer(socket)));
    const client = clientOf(server.url);
    const context = recordingContext();
    for (let count = 0; count < 6; count++) await client.get(request, context);
    expect(context.costs.length).toBe(server.seen());
    expect(context.ends.length).toBe(server.seen());
    expect(context.reports.some(({ charged }) => charged !== undefined)).toBe(false);
    // Where it breaks without an answer, kept connections are used no more.
    if (isBefore) expect([server.seen(), server.connections()]).toEqual([7, 6]);
  },
);

test("a vendor that closes many kept connections at once fails no request for good", async () => {
  const waiting = Promise.withResolvers<void>();
  let [arrived, isClosing] = [0, false];
  using server = await startRawServer((socket, nth) => {
    if (isClosing && nth > 1) return void socket.destroy();
    arrived += 1;
    if (arrived === 10) waiting.resolve();
    void waiting.promise.then(() => answerWell(socket));
  });
  const client = clientOf(server.url);
  const context = recordingContext();
  const all = () => Promise.all(Array.from({ length: 10 }, () => client.get(request, context)));
  await all();
  expect(server.connections()).toBe(10);
  isClosing = true;
  await all();
  expect([server.seen(), context.costs.length, server.connections()]).toEqual([30, 30, 20]);
});

test("a request whose connection was closed without an answer has reached the vendor, and costs what it costs", async () => {
  using server = await startRawServer((socket) => void socket.destroy());
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
