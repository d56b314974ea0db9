/** The Python of this machine, if it has one. */

export const PYTHON = Bun.which("python3");

/** The packages for tables that it has. */
export const PACKAGES: ReadonlySet<string> = new Set(PYTHON === null ? [] : findPackages(PYTHON));

function findPackages(python: string): string[] {
  const names = "'pandas', 'pyarrow', 'polars'";
  const script = `from importlib.util import find_spec; print(*(name for name in (${names}) if find_spec(name)))`;
  return Bun.spawnSync([python, "-I", "-c", script]).stdout.toString().trim().split(" ");
}
