/** What may be done to a worker on another machine. */

import { record } from "../../storage/access/audit.ts";
import type { Services } from "../services.ts";

export const HOST_ACTIONS = ["drain", "resume", "stop"] as const;
export type HostAction = (typeof HOST_ACTIONS)[number];

/** Drains, resumes or stops a worker, and records it. @throws Refusal if there is no worker with this id */
export async function actOnHost(
  { db, dispatcher, hosts }: Pick<Services, "db" | "dispatcher" | "hosts">,
  id: number,
  action: HostAction,
): Promise<void> {
  const name = hosts.list().find((each) => each.id === id)?.name;
  if (action === "stop") hosts.stop(id);
  else await hosts.setDraining(id, action === "drain");
  // One that takes jobs again may have room for those that wait.
  dispatcher.poll();
  await record(db, { action: `host.${action}`, subject: name ?? String(id) });
}
