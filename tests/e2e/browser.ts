/** A real server and a real browser, for tests of the pages. */

import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  chromium as driver,
  type Page,
} from "playwright-core";
import { type App, createApp } from "../../src/app.ts";
import { readConfig } from "../../src/config.ts";
import { PROVIDERS } from "../../src/providers/registry.ts";
import { browserExecutable } from "../helpers/bundle/browser-files.ts";
import { type Folder, migratedDatabase, temporaryFolder } from "../helpers/folder.ts";
import { KeptPage, onReports, type Preparation } from "./kept-pages.ts";

/** The script of axe. The module's own text is twice as long, and every page that is checked has to read it. */
const AXE = await Bun.file(Bun.resolveSync("axe-core/axe.min.js", import.meta.dirname)).text();

/**
 * Where each server of a test has it, so that the browser keeps it, and its code: half a megabyte that the driver sends
 * takes longer than all else that a page does when it is opened.
 */
const AXE_PATH = "/axe.min.js";
const axe = () =>
  new Response(AXE, { headers: { "Content-Type": "text/javascript", "Cache-Control": "max-age=3600" } });

/** Adds axe to a page, until it leaves its document. */
export const addAxe = (page: Page) => page.addScriptTag({ url: AXE_PATH });

/** Holds back requests to the providers, so that a test and not a clock decides how far jobs get. */
class RequestGate {
  #requests = Number.POSITIVE_INFINITY;
  #jobs = Number.POSITIVE_INFINITY;
  /** Requests of each job that were released since the gate was closed. */
  readonly #released = new Map<string, number>();
  #waiting: (() => void)[] = [];

  /** Makes all further requests wait. */
  close(): void {
    this.#requests = 0;
    this.#released.clear();
  }

  /** Releases `requests` more of each job, a batch each, for the first `jobs` that send one; all by default. */
  release(requests = Number.POSITIVE_INFINITY, jobs = Number.POSITIVE_INFINITY): void {
    this.#requests += requests;
    this.#jobs = jobs;
    for (const check of this.#waiting.splice(0)) check();
  }

  /** Releases a request of each job every 40 milliseconds, so that something changes in each frame. */
  releaseSteadily(): Disposable {
    const timer = setInterval(() => this.release(1), 40);
    return { [Symbol.dispose]: () => clearInterval(timer) };
  }

  /** @throws the signal's reason when it is aborted. */
  async enter(job: string, signal: AbortSignal | undefined): Promise<void> {
    while (!this.#mayPass(job)) {
      signal?.throwIfAborted();
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve);
        signal?.addEventListener("abort", () => resolve(), { once: true });
      });
    }
    this.#released.set(job, this.#count(job) + 1);
  }

  #count(job: string): number {
    return this.#released.get(job) ?? 0;
  }

  #mayPass(job: string): boolean {
    return this.#count(job) < this.#requests && (this.#released.has(job) || this.#released.size < this.#jobs);
  }
}

/**
 * Code of a page that lives for a second is not worth optimizing, nor a process for each of several pages in one profile.
 * Benchmarks and pictures take the browser as it is.
 */
const SHORT_LIVED =
  process.env.NODE_ENV === "test" ? ["--js-flags=--no-opt --no-maglev", "--renderer-process-limit=1"] : [];

let launched: Browser | undefined;
/** Pages that no test uses. */
const idle: KeptPage[] = [];

/** The browser of all test files of this process; it ends with the process, or with `closeBrowser`. */
async function sharedBrowser(): Promise<Browser> {
  if (launched?.isConnected() !== true)
    launched = await driver.launch({
      executablePath: browserExecutable(),
      args: ["--no-sandbox", "--disable-gpu", "--in-process-gpu", "--font-render-hinting=none", ...SHORT_LIVED],
    });
  return launched;
}

/** For a script, which must not end later than its work. */
export async function closeBrowser(): Promise<void> {
  await launched?.close();
}

/** Of a window on a desktop. */
const VIEWPORT = { width: 1440, height: 900 };
/** Longest time until something that is waited for is there, milliseconds. */
const WAIT_LIMIT_MS = 30_000;

export class BrowserApp {
  readonly #contexts: BrowserContext[] = [];
  readonly #used: KeptPage[] = [];
  #server: Bun.Server<undefined> | null = null;
  #app: App | null = null;
  /** Errors and warnings of browsers: script errors, refused resources, violated policies. */
  readonly consoleErrors: string[] = [];
  /** Errors that the test has said to be expected, up to a time (epoch milliseconds). */
  #expected: { readonly pattern: RegExp; readonly until: number }[] = [];
  /** In front of the providers; open when a test begins. */
  readonly gate = new RequestGate();

  private constructor(
    private readonly browser: Browser,
    private readonly folder: Folder,
    private readonly env: Readonly<Record<string, string>>,
    private readonly compresses: boolean,
  ) {}

  /**
   * Starts both if there is no browser yet, the server with the settings in `env`. In tests its answers are compressed only
   * if `compresses`: that takes more time than the network of this machine.
   */
  static async open(
    env: Readonly<Record<string, string>> = {},
    { compresses = process.env.NODE_ENV !== "test" } = {},
  ): Promise<BrowserApp> {
    const folder = temporaryFolder();
    const [browser] = await Promise.all([sharedBrowser(), migratedDatabase(folder)]);
    const opened = new BrowserApp(browser, folder, env, compresses);
    await opened.startServer();
    return opened;
  }

  get address(): string {
    return `http://127.0.0.1:${this.#server?.port}`;
  }

  get app(): App {
    if (this.#app === null) throw new Error("the server is stopped");
    return this.#app;
  }

  /** Starts the server on its database, on `port` if given. */
  async startServer(port = 0): Promise<void> {
    const env = {
      BARKEEP_DB_URL: this.folder.database(),
      BARKEEP_WORKERS: "2",
      BARKEEP_CSV_DIR: ".",
      DEMO_LATENCY_MS: "0",
      ...this.env,
    };
    this.#app = await createApp(readConfig(env, PROVIDERS), { print: () => {} });
    const { limiter: quota } = this.#app;
    const acquire = quota.acquire.bind(quota);
    quota.acquire = async (request) => {
      await this.gate.enter(request.job, request.signal);
      return acquire(request);
    };
    // Requests with permits that were leased ahead would pass the gate.
    quota.lease = async () => [];
    const { fetch } = this.#app;
    this.#server = Bun.serve({
      port,
      hostname: "127.0.0.1",
      idleTimeout: 0,
      fetch: (request, server) => {
        if (new URL(request.url).pathname === AXE_PATH) return axe();
        if (!this.compresses) request.headers.delete("Accept-Encoding");
        return fetch(request, server);
      },
    });
    this.#app.outbox.start(this.address);
    this.#app.channels.start(this.address);
  }

  /** Stops the server and cuts its connections; returns the port to come back on. */
  async stopServer(): Promise<number> {
    const port = this.#server?.port ?? 0;
    await this.#server?.stop(true);
    await this.#app?.close();
    this.#server = this.#app = null;
    return port;
  }

  /** A page in a browser profile of its own, at `path`. */
  async openPage(path: string, options: BrowserContextOptions = {}): Promise<Page> {
    const context = await this.browser.newContext({ viewport: VIEWPORT, ...options });
    this.#contexts.push(context);
    context.setDefaultTimeout(WAIT_LIMIT_MS);
    onReports(context, (text, at) => this.#report(text, at));
    const page = await context.newPage();
    await page.goto(`${this.address}${path}`);
    return page;
  }

  /** A page at `path` that earlier tests have used, without a trace of them; see `KeptPage.clear` for what is removed. */
  async usePage(
    path: string,
    { javaScriptEnabled = true, ...preparation }: Preparation & { javaScriptEnabled?: boolean } = {},
  ): Promise<Page> {
    const at = idle.findIndex(({ page, runsScripts }) => runsScripts === javaScriptEnabled && !page.isClosed());
    const [kept = await KeptPage.open(this.browser, { viewport: VIEWPORT, javaScriptEnabled })] =
      at < 0 ? [] : idle.splice(at, 1);
    this.#used.push(kept);
    kept.report = (text, at) => this.#report(text, at);
    kept.page.setDefaultTimeout(WAIT_LIMIT_MS);
    await kept.prepare(preparation);
    await kept.page.goto(`${this.address}${path}`);
    return kept.page;
  }

  #report(text: string, at: number): void {
    const isExpected = this.#expected.some(({ pattern, until }) => at <= until && pattern.test(text));
    if (!isExpected) this.consoleErrors.push(text);
  }

  /**
   * Removes expected errors that have occurred, e.g. of a response that the test provoked or of a server that it stopped,
   * also those that the browser is still to report. The same error after this call is reported.
   */
  dismissErrors(pattern: RegExp): void {
    this.#expected.push({ pattern, until: Date.now() });
    const others = this.consoleErrors.splice(0).filter((text) => !pattern.test(text));
    this.consoleErrors.push(...others);
  }

  /** Waits for the end of a run. */
  async waitForRun(runId: string): Promise<void> {
    const { hub } = this.app;
    const stream = hub.stream({ latest: true });
    while (!hub.runs().some(({ id, finishedAt }) => id === runId && finishedAt !== null)) await stream.next(60_000);
    stream.close();
  }

  async closePages(): Promise<void> {
    await Promise.all([
      ...this.#contexts.splice(0).map((context) => context.close()),
      ...this.#used.splice(0).map(async (kept) => {
        if (await kept.clear(`${this.address}/healthz`)) idle.push(kept);
      }),
    ]);
  }

  /** Closes the pages of a test, and cancels its unfinished runs. */
  async reset(): Promise<void> {
    await this.closePages();
    const { hub, runs } = this.app;
    const unfinished = hub.runs().filter(({ finishedAt }) => finishedAt === null);
    for (const { id } of unfinished) await runs.actOnRun(id, "cancel");
    this.gate.release();
    await Promise.all(unfinished.map(({ id }) => this.waitForRun(id)));
    await runs.acknowledgeAll();
    this.#expected = [];
  }

  async close(): Promise<void> {
    await this.reset();
    await this.stopServer();
    this.folder[Symbol.dispose]();
  }
}

/** Opens the options of the run form that few runs need. */
async function openMore(page: Page): Promise<void> {
  const more = page.locator(".run-more");
  if ((await more.getAttribute("open")) === null) await more.locator("summary").click();
}

/** Starts a run through the form, of which two symbols are at work at once. */
export async function startRun(page: Page, symbols: string): Promise<void> {
  await page.getByLabel("Symbols", { exact: true }).fill(symbols);
  await openMore(page);
  await page.getByLabel("Symbols at once").fill("2");
  await page.getByRole("button", { name: "Start run" }).click();
}

/** The row of a symbol. */
export const rowOf = (page: Page, symbol: string) =>
  page.locator(".queue tbody tr").filter({ hasText: symbol }).first();

/** Waits until the page receives live updates. */
export const live = (page: Page) => page.locator('#freshness[data-state="live"]').waitFor();
