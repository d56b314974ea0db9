/** Profiles as a stream from the export thread: a long list neither blocks the server nor fills its memory. */

import type { Context, TypedResponse } from "hono";
import type { ProfilesRequest } from "../../pipeline/exports/export-profiles.ts";
import type { ProfileKey } from "../../storage/profiles/profiles.ts";
import { streamed } from "../http/stream-body.ts";
import type { Services } from "../services.ts";

const TYPES = { json: "application/json", csv: "text/csv; charset=utf-8" } as const;

/** The types of a described route cover values only: a stream needs a cast to a response with JSON. */
type Streamed = Response & TypedResponse<never, 200, "json">;

export function streamProfiles(
  c: Context,
  exporter: Services["exporter"],
  profiles: readonly ProfileKey[],
  request: Omit<ProfilesRequest, "content" | "keys">,
): Streamed {
  const keys = profiles.map(({ symbol, interval }) => `${symbol}/${interval}`).join("\n");
  const open = () => exporter.stream({ content: "profiles", keys, ...request }, c.req.raw.signal);
  return streamed(c, open, { "Content-Type": TYPES[request.format] }) as Response as Streamed;
}
