/** The lake on the settings page. */

import type { LakeView } from "../../views/lake.tsx";
import type { Services } from "../services.ts";

export async function lakeView(
  { lake, redact }: Pick<Services, "lake" | "redact">,
  hidden: boolean,
): Promise<LakeView> {
  const { name = null, failure } = lake;
  return {
    place: hidden && name !== null ? "" : name,
    hidden,
    pending: name === null ? 0 : await lake.pending(),
    pendingFeatures: name === null ? 0 : await lake.pendingFeatures(),
    failure: failure && { at: failure.at, reason: hidden ? "" : redact(failure.reason) },
  };
}
