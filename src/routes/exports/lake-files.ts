/** `/lake/…`: the files of the lake, by the paths of its manifest. */

import { type Context, Hono } from "hono";
import { messageOf, Refusal } from "../../domain/errors.ts";
import { MANIFEST, PART } from "../../pipeline/lake/manifest.ts";
import { bytesAsFile, serveFile } from "../http/serve-file.ts";
import { reasonFor } from "../page-context.ts";
import type { Services } from "../services.ts";

const PARQUET = "application/vnd.apache.parquet";
/** When to ask again for what the lake's storage could not give, seconds. */
const TRY_AGAIN_S = 10;

export function lakeRoutes({ lake, redact }: Pick<Services, "lake" | "redact">) {
  /** Passes on what the storage of the lake gives; its failure is no fault of the server. */
  const asked = async <T>(c: Context, work: () => T): Promise<Awaited<T>> => {
    try {
      return await work();
    } catch (error) {
      throw new Refusal(
        "unavailable",
        `The lake cannot be read: ${reasonFor(c, redact(messageOf(error)))}`,
        [],
        TRY_AGAIN_S,
      );
    }
  };
  return new Hono().get("/lake/*", async (c) => {
    const { storage } = lake;
    const path = c.req.path.slice("/lake/".length);
    const missing = () => new Refusal("not_found", "The lake has no such file: its _manifest.json lists them");
    if (path === MANIFEST) {
      const found = await asked(c, () => storage.manifestBytes());
      if (found === null) throw missing();
      const file = bytesAsFile(found.bytes, found.modified);
      return serveFile(c, file, { type: "application/json", name: MANIFEST, isImmutable: false });
    }
    // Nothing else in or outside of the lake has such a path.
    const [name, hash] = PART.exec(path) ?? PART.exec(decoded(path)) ?? [];
    const found = name === undefined ? null : await asked(c, () => storage.open(name));
    if (found === null || hash === undefined) throw missing();
    const file = { ...found, tag: hash, read: (start: number, end: number) => asked(c, () => found.read(start, end)) };
    return serveFile(c, file, { type: PARQUET, name: `part-${hash}.parquet`, isImmutable: true });
  });
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return "";
  }
}
