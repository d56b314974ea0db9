/** The options of `barkeep worker`. */

import { availableParallelism, hostname } from "node:os";
import { type QueuePlace, readQueue } from "../../config/places.ts";
import { Reader } from "../../config/reader.ts";
import { quote } from "../../domain/errors.ts";
import { INTERVALS, type Interval, isInterval } from "../../domain/market/interval.ts";
import { hostName, MAX_JOBS, MAX_THREADS } from "../../pipeline/remote/protocol.ts";
import { readsFolder } from "../../providers/entry.ts";
import { findProvider } from "../../providers/registry.ts";
import type { HostSettings } from "./worker-host.ts";

/** Jobs at once for each thread: most of the time a job waits for its provider. */
const JOBS_PER_THREAD = 16;

export interface WorkerOptions {
  readonly server: string;
  readonly token?: string;
  readonly threads?: string;
  readonly jobs?: string;
  readonly providers?: string;
  readonly intervals?: string;
  readonly name?: string;
}

/** What is wrong with an option. */
export class WrongOption extends Error {}

function wholeNumber(option: string, text: string | undefined, most: number): number | undefined {
  if (text === undefined) return undefined;
  const number = Number(text);
  if (Number.isInteger(number) && number >= 1 && number <= most) return number;
  throw new WrongOption(`${option} wants a whole number from 1 to ${most}, not ${JSON.stringify(text)}`);
}

/** The words of a list; `null` if it is not given. An empty one would let the worker wait for ever. */
function listOf(option: string, text: string | undefined): string[] | null {
  if (text === undefined) return null;
  const list = text.split(/[\s,]+/).filter((each) => each !== "");
  if (list.length === 0) throw new WrongOption(`${option} names none: leave it out to take jobs of all`);
  return list;
}

/** The names by which jobs know their providers. */
function providersOf(text: string | undefined): string[] | null {
  const list = listOf("--providers", text);
  if (list === null) return null;
  return list.map((each) => {
    const entry = findProvider(each);
    if (entry === undefined) throw new WrongOption(`--providers: there is no provider ${quote(each)}`);
    if (readsFolder(entry)) throw new WrongOption(`--providers: only the server has the folder of ${each}`);
    return entry.name;
  });
}

function nameOf(text: string | undefined): string {
  const name = text ?? hostname();
  const read = hostName.safeParse(name);
  if (read.success) return read.data;
  throw new WrongOption(`--name wants a name without line breaks of at most 200 characters, not ${quote(name)}`);
}

function intervalsOf(text: string | undefined): Interval[] | null {
  const list = listOf("--intervals", text);
  const wrong = list?.find((each) => !isInterval(each));
  if (wrong !== undefined)
    throw new WrongOption(`--intervals wants some of ${INTERVALS.join(", ")}, not ${quote(wrong)}`);
  return list as Interval[] | null;
}

function addressOf(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !/^https?:$/.test(url.protocol) || url.href !== url.origin + url.pathname)
    throw new WrongOption(
      "--server wants the address of the server, like https://bars.example or http://10.0.0.5:3000",
    );
  return text.replace(/\/+$/, "");
}

/** The job queue from which keys are taken; without it the server hands out the jobs. */
function queueOf(env: Readonly<Record<string, string | undefined>>): QueuePlace | undefined {
  const reader = new Reader(env);
  const place = readQueue(reader);
  const [fault] = reader.faults;
  if (fault !== undefined)
    throw new WrongOption(`${fault.variable} is ${JSON.stringify(fault.value)}: wants ${fault.wants}`);
  return place;
}

/** @throws WrongOption if one cannot be meant */
export function readOptions(options: WorkerOptions): Omit<HostSettings, "version" | "print"> {
  const url = addressOf(options.server);
  const token = options.token ?? process.env.BARKEEP_TOKEN;
  if (!token) throw new WrongOption("make a token with the scope worker on /settings/access and set BARKEEP_TOKEN");
  const threads = wholeNumber("--threads", options.threads, MAX_THREADS) ?? availableParallelism();
  return {
    server: { url, token },
    host: nameOf(options.name),
    threads,
    jobs: wholeNumber("--jobs", options.jobs, MAX_JOBS) ?? Math.min(MAX_JOBS, JOBS_PER_THREAD * threads),
    providers: providersOf(options.providers),
    intervals: intervalsOf(options.intervals),
    queue: queueOf(process.env),
  };
}
