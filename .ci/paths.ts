/** Checks that the files, folders and headings that pages and comments name exist. Exits with 1 if one does not. */

import { existsSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";

/** Words in backticks that name a file by its ending, e.g. `routes/index.ts` or `clock.js`. */
const FILE = /^[\w.@{},*/-]+\.(?:tsx?|mjs|js|css|md|sql)$/;
/** A page named in a comment, e.g. docs/states.md. */
const PAGE = /\b(?:docs\/[\w/.-]+|[A-Z]+)\.md\b/g;

const list = Bun.spawnSync(["git", "ls-files", "--cached", "--others", "--exclude-standard"]).stdout.toString();
const files = list.split("\n").filter((file) => file !== "" && existsSync(file));
const folders = new Set(files.flatMap(foldersOf));
const roots = new Set([...folders].filter((folder) => !folder.includes("/")));
const areas = new Set([...folders].filter((folder) => /^src\/\w+$/.test(folder)).map((folder) => folder.slice(4)));

/** All folders above a file. */
function foldersOf(file: string): string[] {
  const parts = dirname(file).split("/");
  return parts[0] === "." ? [] : parts.map((_, index) => parts.slice(0, index + 1).join("/"));
}

/** Whether a word in backticks is meant as a path: by its ending, or because it begins with a folder of ours. */
function isPath(word: string): boolean {
  if (/[<>\s(]/.test(word)) return false;
  const [first = "", ...rest] = word.split("/");
  return FILE.test(word) || (rest.length > 0 && (roots.has(first) || areas.has(first)));
}

/** Whether there is such a file or folder; `src/` may be left out, and so may the folders of a file. */
function exists(path: string): boolean {
  const glob = new Bun.Glob(`{,src/,**/}${path.replace(/\/$/, "")}`);
  return files.some((file) => glob.match(file)) || [...folders].some((folder) => glob.match(folder));
}

/** The anchors of a page's headings, spelled as GitHub does. */
function anchorsOf(page: string): Set<string> {
  const headings = readFileSync(page, "utf8").matchAll(/^#+ (.+)$/gm);
  return new Set(
    [...headings].map(([, title = ""]) =>
      title
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, "")
        .replaceAll(" ", "-"),
    ),
  );
}

const faults: string[] = [];
for (const page of files.filter((file) => file.endsWith(".md"))) {
  const text = readFileSync(page, "utf8").replaceAll(/^```[\s\S]*?^```/gm, "");
  for (const [, word = ""] of text.matchAll(/`([^`\n]+)`/g)) {
    if (isPath(word) && !exists(word)) faults.push(`${page}: \`${word}\` does not exist`);
  }
  for (const [, target = ""] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
    if (/^\w+:/.test(target)) continue;
    const [path = "", anchor] = target.split("#");
    const file = path === "" ? page : normalize(join(dirname(page), path));
    if (!existsSync(file)) faults.push(`${page}: the link ${target} leads nowhere`);
    else if (anchor !== undefined && !anchorsOf(file).has(anchor))
      faults.push(`${page}: ${target} has no such heading`);
  }
}
for (const file of files.filter((name) => /\.(tsx?|mjs|js|css)$/.test(name))) {
  for (const [page] of readFileSync(file, "utf8").matchAll(PAGE)) {
    if (!existsSync(page)) faults.push(`${file}: ${page} does not exist`);
  }
}

for (const fault of faults) console.error(fault);
process.exit(faults.length === 0 ? 0 : 1);
