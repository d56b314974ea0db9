import { beforeAll, describe, expect, test } from "bun:test";
import {
  ACTIVE_STATES,
  canApply,
  JOB_STATES,
  JOB_TRANSITIONS,
  type JobState,
  type JobTransition,
  RUN_STATES,
  runStateOf,
} from "../../../src/domain/runs/states.ts";
import { openDatabase } from "../../../src/storage/db.ts";
import { migratedDatabase, temporaryFolder } from "../../helpers/folder.ts";

/** The arrows of the n-th diagram in docs/states.md: from, to, label. */
let diagrams: [string, string, string][][];
/** The statements that made the tables and indexes of a migrated database. */
let schema: string;

beforeAll(async () => {
  const page = await Bun.file(new URL("../../../docs/states.md", import.meta.url)).text();
  diagrams = [...page.matchAll(/```mermaid\nstateDiagram-v2\n(.*?)```/gs)].map(([, text]) =>
    [...text!.matchAll(/^ {2}(\S+) --> (\w+)(?:: (.+))?$/gm)].map(([, from, to, label = ""]) => [from!, to!, label]),
  );
  using folder = temporaryFolder();
  const db = await openDatabase(await migratedDatabase(folder));
  schema = (await db.rows("SELECT sql FROM sqlite_master", [])).join("\n");
  db.close();
});

const checked = (name: string) =>
  [...new RegExp(`CONSTRAINT "${name}" CHECK\\(.*? in \\((.*?)\\)\\)`).exec(schema)![1]!.matchAll(/'(\w+)'/g)].map(
    ([, state]) => state!,
  );

describe("jobs", () => {
  test("the diagram of job states shows every transition of the code, and no other", () => {
    const drawn = diagrams[0]!.filter(([from]) => from !== "[*]").map((arrow) => arrow.join(" "));
    const declared = Object.entries(JOB_TRANSITIONS).flatMap(([name, { from, to }]) =>
      from.map((state) => `${state} ${to} ${name}`),
    );
    expect(drawn.toSorted()).toEqual(declared.toSorted());
  });

  test("canApply allows exactly the transitions of the diagram", () => {
    const arrows = new Set(diagrams[0]!.map(([from, , label]) => `${from} ${label}`));
    for (const state of JOB_STATES) {
      for (const transition of Object.keys(JOB_TRANSITIONS) as JobTransition[]) {
        expect(canApply(transition, state), `${transition} of ${state}`).toBe(arrows.has(`${state} ${transition}`));
      }
    }
  });

  test("the database allows the same job states, and holds symbols for the same active ones", () => {
    expect(checked("jobs_state").toSorted()).toEqual([...JOB_STATES].toSorted());
    const index = /INDEX `jobs_active_symbol` .* WHERE .* in \((.*?)\)/.exec(schema)![1]!;
    expect(index).toBe(ACTIVE_STATES.map((state) => `'${state}'`).join(", "));
  });

  test("every job state can be reached, and left towards an end", () => {
    const step = (states: Set<JobState>) => {
      const { size } = states;
      for (const { from, to } of Object.values(JOB_TRANSITIONS)) if (from.some((s) => states.has(s))) states.add(to);
      return states.size > size;
    };
    const reached = new Set<JobState>(["queued"]);
    while (step(reached));
    expect(reached).toEqual(new Set(JOB_STATES));
  });
});

describe("runs", () => {
  test("diagram, code and database know the same run states", () => {
    const drawn = new Set(diagrams[1]!.flatMap((arrow) => arrow.slice(0, 2)).filter((state) => state !== "[*]"));
    expect([...drawn].toSorted()).toEqual([...RUN_STATES].toSorted());
    expect(checked("runs_state").toSorted()).toEqual([...RUN_STATES].toSorted());
  });

  test("each single transition of a job moves its run along an arrow of the diagram, or not at all", () => {
    const arrows = new Set(diagrams[1]!.map(([from, to]) => `${from} ${to}`));
    const others: Partial<Record<JobState, number>>[] = [{}, ...JOB_STATES.map((state) => ({ [state]: 1 }))];
    for (const rest of others) {
      for (const { from, to } of Object.values(JOB_TRANSITIONS)) {
        for (const state of from) {
          const plus = (each: JobState) => runStateOf({ ...rest, [each]: (rest[each] ?? 0) + 1 });
          const [before, after] = [plus(state), plus(to)];
          if (before !== after)
            expect(arrows, `${state} -> ${to} beside ${JSON.stringify(rest)}`).toContain(`${before} ${after}`);
        }
      }
    }
  });
});
