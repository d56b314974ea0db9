/** The stage that a row shows after a person has acted on it. */

import type { Stage } from "../../domain/runs/progress.ts";
import type { JobAction } from "../../domain/runs/states.ts";
import { writeMoment } from "../../domain/time.ts";

const clock = () => writeMoment(Date.now(), "UTC", "second");

/** The stage that an action leads to, with the time at which it was ordered. */
export function stageOf(action: JobAction | "refetch"): Stage {
  switch (action) {
    case "pause":
      return { stage: "stopped", status: "Paused", reason: `Paused by you since ${clock()}` };
    case "cancel":
      return { stage: "stopped", status: "Cancelled", reason: `Cancelled by you at ${clock()}` };
    case "skip":
      return { stage: "stopped", status: "Skipped", reason: `Skipped by you at ${clock()}` };
    case "resume":
    case "retry":
    case "refetch":
      return { stage: "queued" };
  }
}
