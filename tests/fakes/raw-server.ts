/** A server on loopback that answers raw requests, and may break its connections anywhere. */

import { type AddressInfo, createServer, type Socket } from "node:net";

const head = (more: string) => `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n${more}\r\n\r\n`;
/** Sends the beginning of an answer, and closes the connection once that has left. */
const beginning = (text: string) => (socket: Socket) => void socket.end(text);

export const answerWell = (socket: Socket) => void socket.write(`${head("content-length: 2")}{}`);

/** Ways in which an answer does not come, by when the connection breaks; `true` where no answer has begun. */
export const BREAKS: readonly (readonly [name: string, isBefore: boolean, answer: (socket: Socket) => void])[] = [
  ["it is closed before the headers", true, (socket) => void socket.end()],
  ["it is reset before the headers", true, (socket) => void socket.resetAndDestroy()],
  ["it is closed in the headers", true, beginning("HTTP/1.1 200 OK\r\ncontent-le")],
  ["it is closed after the headers", false, beginning(head("content-length: 20"))],
  ["it is closed in the body", false, beginning(`${head("content-length: 20")}{"a":`)],
  ["it is closed in a body of chunks", false, beginning(`${head("transfer-encoding: chunked")}5\r\n{"a":\r\n`)],
];

/** @param answer called for each request with its place on the connection, counted from 1 */
export async function startRawServer(answer: (socket: Socket, nth: number) => void) {
  let [seen, connections] = [0, 0];
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    let nth = 0;
    connections += 1;
    open.add(socket);
    socket.once("close", () => open.delete(socket));
    // A client may be gone before the end.
    socket.on("error", () => {});
    socket.on("data", (data) => {
      const requests = data.toString("latin1").match(/^GET /gm)?.length ?? 0;
      seen += requests;
      nth += requests;
      if (requests > 0) answer(socket, nth);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  return {
    port: (server.address() as AddressInfo).port,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    /** Requests so far. */
    seen: () => seen,
    connections: () => connections,
    [Symbol.dispose]: () => {
      server.close();
      for (const socket of open) socket.destroy();
    },
  };
}
