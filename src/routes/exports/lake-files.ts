/** `/lake/…`: the files of the lake, by the paths of its manifest. */

import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { Hono } from "hono";
import { Refusal } from "../../domain/errors.ts";
import { MANIFEST, PART } from "../../pipeline/lake/manifest.ts";
import { noLake } from "../../scheduler/lake.ts";
import { bytesAsFile, fileOnDisk, serveFile } from "../http/serve-file.ts";
import type { Services } from "../services.ts";

const PARQUET = "application/vnd.apache.parquet";

export function lakeRoutes({ lake }: Pick<Services, "lake">) {
  return new Hono().get("/lake/*", async (c) => {
    const { folder } = lake;
    if (folder === undefined) throw noLake();
    const path = c.req.path.slice("/lake/".length);
    const missing = () => new Refusal("not_found", "The lake has no such file: its _manifest.json lists them");
    if (path === MANIFEST) {
      const place = join(folder, MANIFEST);
      const bytes = await readFile(place).catch(() => null);
      if (bytes === null) throw missing();
      const { mtimeMs } = await stat(place);
      const file = bytesAsFile(new Uint8Array(bytes), mtimeMs);
      return serveFile(c, file, { type: "application/json", name: MANIFEST, isImmutable: false });
    }
    // Nothing else in or outside of the folder has such a path.
    const [name, hash] = PART.exec(path) ?? PART.exec(decoded(path)) ?? [];
    const file = name === undefined ? null : await fileOnDisk(join(folder, name), hash);
    if (file === null) throw missing();
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
