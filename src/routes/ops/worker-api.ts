/** `/api/worker`: what workers on other machines send. The bodies are messages of `pipeline/remote/codec.ts`. */

import { BlockList, isIP } from "node:net";
import { type Context, Hono } from "hono";
import type { z } from "zod";
import { BadMessage, decode, encode } from "../../pipeline/remote/codec.ts";
import { claimRequest, registration, syncRequest } from "../../pipeline/remote/protocol.ts";
import { CONTENT_TYPE } from "../../pipeline/remote/server-connection.ts";
import { ATTEMPT_HEADER } from "../../pipeline/remote/store-request.ts";
import { firstFault } from "../../schemas.ts";
import type { ClientAddresses } from "../access/client-address.ts";
import { problem } from "../problem.ts";
import type { Services } from "../services.ts";

/** Seconds after which a request that could not be answered is sent again. */
const TRY_AGAIN_S = 1;

/** The most bytes of a message that is read on the main thread: those of the job store are read on others. */
const MAX_READ_HERE = 16 * 1024 * 1024;

/** Networks that are not reached from the internet: keys may be sent there without TLS. */
const PRIVATE = new BlockList();
for (const [network, bits] of [
  ["127.0.0.0", 8],
  ["10.0.0.0", 8],
  ["172.16.0.0", 12],
  ["192.168.0.0", 16],
  ["169.254.0.0", 16],
  ["100.64.0.0", 10],
] as const)
  PRIVATE.addSubnet(network, bits, "ipv4");
PRIVATE.addAddress("::1", "ipv6");
PRIVATE.addSubnet("fc00::", 7, "ipv6");
PRIVATE.addSubnet("fe80::", 10, "ipv6");

/** Whether an address is on this machine or in a private network. */
function isPrivate(address: string): boolean {
  const family = isIP(address);
  return family !== 0 && PRIVATE.check(address, family === 6 ? "ipv6" : "ipv4");
}

const message = (value: unknown) => new Response(encode(value), { headers: { "Content-Type": CONTENT_TYPE } });
const gone = (c: Context) =>
  problem(c, { status: 410, detail: "The server does not know this worker or this attempt" });

/** The body of a request. @throws BadMessage if it has another shape */
async function bodyOf<Shape extends z.ZodType>(c: Context, shape: Shape): Promise<z.output<Shape>> {
  const parsed = shape.safeParse(decode(new Uint8Array(await c.req.arrayBuffer()), MAX_READ_HERE));
  if (parsed.success) return parsed.data;
  throw new BadMessage(firstFault(parsed.error, "the message"));
}

export function workerRoutes({ hosts }: Pick<Services, "hosts">, clients: ClientAddresses): Hono {
  const routes = new Hono();
  routes.use("/worker/*", async (c, next) => {
    if (c.req.header("Content-Type") !== CONTENT_TYPE)
      return problem(c, { status: 415, detail: `Send ${CONTENT_TYPE}: only \`barkeep worker\` uses this route` });
    return next();
  });
  routes.onError((error, c) => {
    if (error instanceof BadMessage) return problem(c, { status: 422, detail: error.message });
    throw error;
  });

  routes.post("/worker/register", async (c) => {
    const address = clients.of(c);
    const mayHaveKeys = clients.isSecure(c) || isPrivate(address);
    const token = c.get("actor").name;
    return message(hosts.register(await bodyOf(c, registration), { token, address, mayHaveKeys }));
  });

  routes.post("/worker/sync", async (c) => {
    const answer = await hosts.sync(await bodyOf(c, syncRequest));
    return answer === null ? gone(c) : message(answer);
  });

  routes.post("/worker/claim", async (c) => {
    const answer = hosts.keys.claim(await bodyOf(c, claimRequest));
    return answer === null ? gone(c) : message(answer);
  });

  routes.post("/worker/leave", async (c) => {
    const { session } = await bodyOf(c, syncRequest.pick({ session: true }));
    hosts.leave(session);
    return message({});
  });

  routes.post("/worker/store", async (c) => {
    const bytes = new Uint8Array(await c.req.arrayBuffer());
    const answer = await hosts.store(c.req.header(ATTEMPT_HEADER) ?? "", bytes);
    switch (answer.kind) {
      case "answer":
        return new Response(new Uint8Array(answer.bytes), { headers: { "Content-Type": CONTENT_TYPE } });
      case "pending":
        return new Response(null, { status: 202 });
      case "lost":
        return gone(c);
      case "wrong":
        return problem(c, { status: 422, detail: answer.message });
      case "unavailable":
        return problem(c, { status: 503, detail: answer.message, retryAfter: TRY_AGAIN_S });
    }
  });

  return routes;
}
