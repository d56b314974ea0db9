/** A relay on loopback before a fake vendor, for faults that a server of Bun cannot have. */

import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import type { Behaviour, FakeVendor } from "./vendor.ts";

const MARK = "x-dropped";

/** The vendor has the request, and the connection is closed before the headers; only behind the relay. */
export const dropped = (): Behaviour => () => new Response(null, { status: 500, headers: { [MARK]: "1" } });

/** The vendor, reached through the relay, which listens at `host`; closing it closes both. */
export async function behindRelay<Vendor extends FakeVendor>(vendor: Vendor, host = "127.0.0.1"): Promise<Vendor> {
  const { hostname, port } = new URL(vendor.url);
  const open = new Set<Socket>();
  const relay = createServer((near) => {
    const far = connect(Number(port), hostname);
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      open.add(socket);
      // A server that is killed leaves requests without a reader.
      socket.on("error", () => {});
      socket.once("close", () => {
        open.delete(socket);
        other.destroy();
      });
    }
    near.on("data", (data) => void far.write(data));
    far.on("data", (data) => {
      const [headers] = data.toString("latin1").split("\r\n\r\n", 1);
      if (headers?.toLowerCase().includes(`\r\n${MARK}: 1`)) near.destroy();
      else near.write(data);
    });
  });
  await new Promise<void>((resolve) => relay.listen(0, host, () => resolve()));
  const { close } = vendor;
  return Object.assign(vendor, {
    url: `http://${host}:${(relay.address() as AddressInfo).port}`,
    async close() {
      relay.close();
      for (const socket of open) socket.destroy();
      await close();
    },
  });
}
