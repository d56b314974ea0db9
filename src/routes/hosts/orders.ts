/** What a worker on another machine can be told. */

import { record } from "../../storage/access/audit.ts";
import type { Services } from "../services.ts";

export const HOST_ORDERS = ["drain", "resume", "stop"] as const;
export type HostOrder = (typeof HOST_ORDERS)[number];

/** Gives an order to a worker, and records it. @throws Refusal if there is no worker with this id */
export async function order(
  { db, dispatcher, hosts }: Pick<Services, "db" | "dispatcher" | "hosts">,
  id: number,
  what: HostOrder,
): Promise<void> {
  const name = hosts.list().find((each) => each.id === id)?.name;
  if (what === "stop") hosts.stop(id);
  else await hosts.setDraining(id, what === "drain");
  // One that takes jobs again may have room for those that wait.
  dispatcher.poll();
  await record(db, { action: `host.${what}`, subject: name ?? String(id) });
}
