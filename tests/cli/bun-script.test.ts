import { expect, test } from "bun:test";
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "../helpers/folder.ts";

const SCRIPT = join(import.meta.dir, "../../bun.sh");

/** Stands in for npx: it knows the package offline once it has been asked for it online. */
const NPX = `#!/bin/sh
here=$(dirname "$0")
echo "$*" >> "$here/../asked"
case " $* " in *" --offline "*) [ -e "$here/../cached" ] || exit 1 ;; esac
: > "$here/../cached"
echo "$here/../package/bun"
`;

test("without Bun on PATH npx is asked for it without the network first, so that a start without one does not wait", async () => {
  using folder = temporaryFolder();
  const executable = (path: string, text: string) => {
    mkdirSync(join(folder.path, path, ".."), { recursive: true });
    writeFileSync(join(folder.path, path), text);
    chmodSync(join(folder.path, path), 0o755);
  };
  executable("bin/npx", NPX);
  executable("package/bun", '#!/bin/sh\necho "ran $*"\n');
  // The tools of the script itself; a Bun beside them would be found.
  const dirname = Bun.which("dirname")!;
  executable("bin/dirname", `#!/bin/sh\nexec ${dirname} "$@"\n`);
  const start = async () => {
    const child = Bun.spawn(["/bin/sh", SCRIPT, "src/server.ts"], {
      env: { PATH: join(folder.path, "bin") },
      stderr: "pipe",
    });
    const output = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
    return [...output, await child.exited];
  };
  const asked = () => readFileSync(join(folder.path, "asked"), "utf8").trim().split("\n");

  expect(await start()).toEqual(["ran src/server.ts\n", "Downloading Bun 1.4.5, once for each user.\n", 0]);
  expect(asked().map((line) => line.startsWith("--offline "))).toEqual([true, false]);
  expect(existsSync(join(folder.path, "cached"))).toBeTrue();
  expect(await start()).toEqual(["ran src/server.ts\n", "", 0]);
  expect(asked()).toHaveLength(3);
  expect(asked()[2]).toBe("--offline --yes --package=bun@1.4.5 --call=command -v bun");
});
