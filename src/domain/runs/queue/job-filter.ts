/** The filter of the queue: what a person types to see some of the jobs, e.g. `status:failed A*` or `stage>fetch`. */

import { type JobProgress, type Status, stageAt } from "../progress.ts";
import { JOB_STATES, type JobState } from "../states.ts";
import { isWaiting } from "../wait-reason.ts";

export interface JobFilter {
  /** As typed, with single spaces; equal filters have equal texts. */
  readonly text: string;
  matches(job: JobProgress): boolean;
}

/** The stages in order, so that they can be compared. */
const STAGE_NAMES = ["queued", "fetch", "engineer", "create", "store", "complete"] as const;
const STAGE_OF: Readonly<Partial<Record<Status, (typeof STAGE_NAMES)[number]>>> = {
  Queued: "queued",
  "Fetching history": "fetch",
  "Engineering features": "engineer",
  "Creating profile": "create",
  "Storing profile": "store",
  Complete: "complete",
};

/** The stage that a job is in, or was in when it ended or stopped, by its percentage (docs/contract.md §2). */
function stageOf({ status, progress, apiCalls }: JobProgress): (typeof STAGE_NAMES)[number] {
  return STAGE_OF[status] ?? (progress === 0 && apiCalls === 0 ? "queued" : stageAt(progress));
}

/** The numbers of a job that can be compared. */
const NUMBERS: Readonly<Record<string, (job: JobProgress) => number>> = {
  progress: ({ progress }) => progress,
  points: ({ dataPoints }) => dataPoints,
  calls: ({ apiCalls }) => apiCalls,
  time: ({ duration }) => duration,
};

const STATES = [...JOB_STATES, "waiting"] as const;
const COMPARE: Readonly<Record<string, (a: number, b: number) => boolean>> = {
  ":": (a, b) => a === b,
  "=": (a, b) => a === b,
  ">": (a, b) => a > b,
  "<": (a, b) => a < b,
};

/** What can be typed into a filter, for completion: qualifiers, and with their values where these are known. */
export const FILTER_WORDS: readonly string[] = [
  ...STATES.map((state) => `status:${state}`),
  ...STAGE_NAMES.flatMap((stage) => [":", ">", "<"].map((sign) => `stage${sign}${stage}`)),
  ...Object.keys(NUMBERS).flatMap((name) => [`${name}>`, `${name}<`]),
  "symbol:",
];

/** Longest filter that is parsed. */
const MAX_LENGTH = 200;

type Test = (job: JobProgress) => boolean;

/**
 * Parses a filter of words that must all match: `status:failed,paused` (a state, or `waiting`), `stage:fetch` (also `>`
 * and `<`), `symbol:AAPL`, the numbers `progress>50`, `points<100`, `calls>24`, `time>60` (seconds), or a part of a
 * symbol alone; `*` stands for anything, and with it the whole symbol has to match. `error` says in one sentence why it cannot be parsed.
 */
export function parseFilter(input: string): JobFilter | { readonly error: string } {
  const words = input.trim().slice(0, MAX_LENGTH).split(/\s+/).filter(Boolean);
  const tests: Test[] = [];
  for (const word of words) {
    const test = testOf(word);
    if (typeof test === "string") return { error: test };
    tests.push(test);
  }
  return { text: words.join(" "), matches: (job) => tests.every((test) => test(job)) };
}

function testOf(word: string): Test | string {
  const [, name, sign = ":", value = ""] =
    /^(status|stage|progress|points|calls|time|symbol)([:=<>])(.*)$/i.exec(word) ?? [];
  if (name === undefined) {
    return /[:=<>]/.test(word)
      ? `${word} is none of status:, stage:, symbol:, progress>, points>, calls>, time>.`
      : symbolTest(word.includes("*") ? word : `*${word}*`);
  }
  const compare = COMPARE[sign]!;
  switch (name.toLowerCase()) {
    case "symbol":
      return symbolTest(value);
    case "status": {
      const wanted = value.toLowerCase().split(",");
      const unknown = wanted.find((state) => !STATES.includes(state as JobState));
      if (unknown !== undefined) return `status: wants ${STATES.join(", ")}, not "${unknown}".`;
      return (job) => wanted.includes(job.state) || (wanted.includes("waiting") && isWaiting(job));
    }
    case "stage": {
      const wanted = (STAGE_NAMES as readonly string[]).indexOf(value.toLowerCase());
      if (wanted < 0) return `stage${sign} wants ${STAGE_NAMES.join(", ")}, not "${value}".`;
      return (job) => compare(STAGE_NAMES.indexOf(stageOf(job)), wanted);
    }
    default: {
      const wanted = Number(value);
      if (value === "" || Number.isNaN(wanted)) return `${name}${sign} wants a number, not "${value}".`;
      const number = NUMBERS[name.toLowerCase()]!;
      return (job) => compare(number(job), wanted);
    }
  }
}

/** `A*` starts with A; without a star the whole symbol. */
function symbolTest(pattern: string): Test {
  const parts = pattern.toUpperCase().split("*");
  return ({ symbol }) => {
    if (parts.length === 1) return symbol === parts[0];
    const first = parts[0]!;
    const last = parts.at(-1)!;
    if (symbol.length < first.length + last.length || !symbol.startsWith(first) || !symbol.endsWith(last)) return false;
    let at = first.length;
    for (const part of parts.slice(1, -1)) {
      const found = symbol.indexOf(part, at);
      if (found < 0) return false;
      at = found + part.length;
    }
    return at <= symbol.length - last.length;
  };
}
