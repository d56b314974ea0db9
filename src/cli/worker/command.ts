/** `barkeep worker`: does jobs of a server on another machine until it is told to end. */

import { availableParallelism, hostname } from "node:os";
import { messageOf } from "../../domain/errors.ts";
import { INTERVALS, type Interval, isInterval } from "../../domain/market/interval.ts";
import { versionOf, versionText } from "../../installation.ts";
import { MAX_JOBS, MAX_THREADS } from "../../pipeline/remote/protocol.ts";
import { EXIT } from "../exit-codes.ts";
import { WorkerHost } from "./worker-host.ts";

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
class WrongOption extends Error {}

function wholeNumber(option: string, text: string | undefined, most: number): number | undefined {
  if (text === undefined) return undefined;
  const number = Number(text);
  if (Number.isInteger(number) && number >= 1 && number <= most) return number;
  throw new WrongOption(`${option} wants a whole number from 1 to ${most}, not ${JSON.stringify(text)}`);
}

const listOf = (text: string | undefined): string[] | null =>
  text === undefined ? null : text.split(/[\s,]+/).filter((each) => each !== "");

function intervalsOf(text: string | undefined): Interval[] | null {
  const list = listOf(text);
  const wrong = list?.find((each) => !isInterval(each));
  if (wrong !== undefined) throw new WrongOption(`--intervals wants some of ${INTERVALS.join(", ")}, not ${wrong}`);
  return list as Interval[] | null;
}

function addressOf(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !/^https?:$/.test(url.protocol) || url.username !== "" || url.password !== "")
    throw new WrongOption(
      "--server wants the address of the server, like https://bars.example or http://10.0.0.5:3000",
    );
  return text.replace(/\/+$/, "");
}

/** Works until the process is told to end, the server sends the worker away, or does not take it. */
export async function workerCommand(options: WorkerOptions): Promise<number> {
  const print = (line: string) => console.error(`${new Date().toISOString()} ${line}`);
  try {
    const token = options.token ?? process.env.BARKEEP_TOKEN;
    if (!token) throw new WrongOption("make a token with the scope worker on /settings/access and set BARKEEP_TOKEN");
    const threads = wholeNumber("--threads", options.threads, MAX_THREADS) ?? availableParallelism();
    const host = new WorkerHost({
      server: { url: addressOf(options.server), token },
      version: versionText(versionOf(process.env.BARKEEP_COMMIT)),
      host: options.name ?? hostname(),
      threads,
      jobs: wholeNumber("--jobs", options.jobs, MAX_JOBS) ?? Math.min(MAX_JOBS, JOBS_PER_THREAD * threads),
      providers: listOf(options.providers),
      intervals: intervalsOf(options.intervals),
      print,
    });
    let isStopping = false;
    const stop = (signal: string) => {
      if (isStopping) process.exit(EXIT.failed);
      isStopping = true;
      print(`${signal}: finishing the current batches, then giving the jobs back`);
      void host.leave();
    };
    process.on("SIGINT", () => stop("SIGINT"));
    process.on("SIGTERM", () => stop("SIGTERM"));
    await host.run();
    // Its threads have nothing more to do.
    process.exit(EXIT.done);
  } catch (error) {
    console.error(messageOf(error));
    process.exit(error instanceof WrongOption ? EXIT.usage : EXIT.failed);
  }
}
