import { expect, test } from "bun:test";
import { copyAs } from "../../src/views/ui/copy-as.tsx";

/** The commands for a panel of a server below a path, by their titles. */
const commands = (query: Record<string, string>) =>
  Object.fromEntries(
    copyAs({
      server: "https://example.com/barkeep",
      path: "/api/panel",
      query: new URLSearchParams(query),
      hasLogin: true,
      file: "panel-1d",
    }).map(({ title, text }) => [title, text]),
  );

test("every command has the path of the server's address in front of its own", () => {
  const all = commands({ symbols: "AAPL", interval: "1d" });
  for (const [title, text] of Object.entries(all)) {
    const address =
      title === "Python" ? "https://example.com/barkeep/barkeep.py" : "https://example.com/barkeep/api/panel?";
    expect([title, text]).toEqual([title, expect.stringContaining(address)]);
  }
  expect(all.Python).toContain('barkeep.panel(symbols="AAPL", interval="1d", url="https://example.com/barkeep")');
});

test("what is typed into a screen cannot leave the quotes of any command", () => {
  const where = `"; rm -rf $HOME \`id\` '\\ + close`;
  for (const [title, text] of Object.entries(commands({ where, from: "2026-01-01" }))) {
    if (title === "Python") expect(text).toContain(`where=${JSON.stringify(where)}, from_="2026-01-01"`);
    else expect(text).toContain("where=%22%3B+rm+-rf+%24HOME+%60id%60+%27%5C+%2B+close&");
  }
});
