/** The lake on the settings page. */

import type { LakeView } from "../../views/lake.tsx";
import type { Services } from "../services.ts";

export async function lakeView(
  { lake, redact }: Pick<Services, "lake" | "redact">,
  hidden: boolean,
): Promise<LakeView> {
  const { folder = null, failure } = lake;
  return {
    place: hidden && folder !== null ? "" : folder,
    hidden,
    pending: folder === null ? 0 : await lake.pending(),
    failure: failure && { at: failure.at, reason: hidden ? "" : redact(failure.reason) },
  };
}
