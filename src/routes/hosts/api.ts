/** `/api/hosts`: the machines that do jobs, and what may be done to them. */

import { createRoute, z } from "@hono/zod-openapi";
import { HOST_STATES, QUEUE_STATES } from "../../domain/hosts/host-state.ts";
import { type HostSummary, hostToWire } from "../../domain/hosts/host-summary.ts";
import { INTERVALS } from "../../domain/market/interval.ts";
import type { HostList } from "../../scheduler/hosts/host-list.ts";
import { choice } from "../../schemas.ts";
import { apiRouter, idParameter, json, refusals } from "../api/parameters.ts";
import { isAdmin } from "../page-context.ts";
import type { Services } from "../services.ts";
import { actOnHost, HOST_ACTIONS } from "./actions.ts";

const Host = z
  .object({
    id: z.int().nullable().openapi({ description: "null: the server itself, or a worker that is lost" }),
    name: z.string(),
    is_server: z.boolean(),
    status: z.enum(HOST_STATES),
    is_draining: z
      .boolean()
      .openapi({ description: "Whether it takes no jobs until it is resumed, also when it comes back" }),
    version: z.string(),
    address: z.string().nullable().openapi({ description: "null also for senders who are no admins" }),
    token: z.string().nullable(),
    cores: z.int(),
    machine_memory_bytes: z.number(),
    memory_bytes: z.number(),
    threads: z.int(),
    jobs: z.int(),
    max_jobs: z.int(),
    jobs_ended: z.int(),
    jobs_taken: z.int().openapi({ description: "Of its jobs those whose keys it took from the job queue itself" }),
    queue: z
      .enum(QUEUE_STATES)
      .nullable()
      .openapi({ description: "Whether it reaches the job queue, or another one; null: the server hands it its jobs" }),
    bars_per_second: z.number(),
    providers: z.array(z.string()).nullable(),
    intervals: z.array(z.enum(INTERVALS)).nullable(),
    since: z.string(),
    last_seen: z.string(),
  })
  .openapi("Host");

const list = createRoute({
  method: "get",
  path: "/hosts",
  operationId: "listHosts",
  tags: ["Operation"],
  summary: "The machines that do jobs: the server, its workers, and workers that were lost",
  responses: { 200: json("Hosts", z.object({ hosts: z.array(Host) })) },
});
const give = createRoute({
  method: "post",
  path: "/hosts/{id}/{action}",
  operationId: "orderHost",
  tags: ["Operation"],
  summary:
    "Control a worker: `drain` (it takes no more jobs), `resume` (it takes them again) or `stop` (it gives its jobs back and ends)",
  request: { params: z.object({ id: idParameter, action: choice(HOST_ACTIONS) }) },
  responses: { 204: { description: "The worker gets it with the answer to its next request" }, ...refusals(404, 422) },
});

export function hostRoutes(services: Pick<Services, "db" | "dispatcher" | "hosts">, hostList: HostList) {
  return apiRouter()
    .openapi(list, (c) => {
      const shown = (host: HostSummary) => (isAdmin(c) ? host : { ...host, address: null, token: null });
      return c.json({ hosts: hostList.list().map((host) => hostToWire(shown(host))) }, 200);
    })
    .openapi(give, async (c) => {
      const { id, action } = c.req.valid("param");
      await actOnHost(services, id, action);
      return c.body(null, 204);
    });
}
