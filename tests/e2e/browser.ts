/** A real server and a real browser for the tests of the screen. */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import chromium from "@sparticuz/chromium";
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

/** Holds the providers' requests back where a test, and not a clock, says how far work has come. */
class Valve {
  #requests = Number.POSITIVE_INFINITY;
  #jobs = Number.POSITIVE_INFINITY;
  /** How many requests of each job have passed since it was shut. */
  readonly #passed = new Map<string, number>();
  #waiting: (() => void)[] = [];

  /** From now on requests wait. */
  shut(): void {
    this.#requests = 0;
    this.#passed.clear();
  }

  /** Lets so many requests more of each job pass, a batch each, and of so many jobs, the first to ask; else all. */
  pass(requests = Number.POSITIVE_INFINITY, jobs = Number.POSITIVE_INFINITY): void {
    this.#requests += requests;
    this.#jobs = jobs;
    for (const look of this.#waiting.splice(0)) look();
  }

  /** Lets a request of each job pass every 40 milliseconds, so that something changes in each frame of the screen. */
  drip(): Disposable {
    const timer = setInterval(() => this.pass(1), 40);
    return { [Symbol.dispose]: () => clearInterval(timer) };
  }

  /** @throws the signal's reason when it is aborted. */
  async through(job: string, signal: AbortSignal | undefined): Promise<void> {
    while (!this.#lets(job)) {
      signal?.throwIfAborted();
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve);
        signal?.addEventListener("abort", () => resolve(), { once: true });
      });
    }
    this.#passed.set(job, this.#count(job) + 1);
  }

  #count(job: string): number {
    return this.#passed.get(job) ?? 0;
  }

  #lets(job: string): boolean {
    return this.#count(job) < this.#requests && (this.#passed.has(job) || this.#passed.size < this.#jobs);
  }
}

export class Screen {
  readonly #contexts: BrowserContext[] = [];
  #server: Bun.Server<undefined> | null = null;
  #app: App | null = null;
  /** What browsers complained of: script errors, refused resources, broken policies. */
  readonly complaints: string[] = [];
  /** Before the providers; open when a test begins. */
  readonly valve = new Valve();

  private constructor(
    private readonly browser: Browser,
    private readonly folder: string,
    private readonly env: Readonly<Record<string, string>>,
  ) {}

  /** Starts both, the server with the settings in `env`. */
  static async open(env: Readonly<Record<string, string>> = {}): Promise<Screen> {
    const [browser, folder] = await Promise.all([
      chromium.executablePath().then((executablePath) =>
        driver.launch({
          executablePath,
          args: ["--no-sandbox", "--disable-gpu", "--in-process-gpu", "--font-render-hinting=none"],
        }),
      ),
      mkdtemp(join(tmpdir(), "barkeep-screen-")),
    ]);
    const screen = new Screen(browser, folder, env);
    await screen.startServer();
    return screen;
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
      BARKEEP_DB_URL: `file:${join(this.folder, "screen.db")}`,
      BARKEEP_WORKERS: "2",
      BARKEEP_CSV_DIR: ".",
      DEMO_LATENCY_MS: "0",
      ...this.env,
    };
    this.#app = await createApp(readConfig(env, PROVIDERS), { print: () => {} });
    const { limiter: quota } = this.#app;
    const acquire = quota.acquire.bind(quota);
    quota.acquire = async (request) => {
      await this.valve.through(request.job, request.signal);
      return acquire(request);
    };
    this.#server = Bun.serve({ port, hostname: "127.0.0.1", idleTimeout: 0, fetch: this.#app.fetch });
    this.#app.outbox.start(this.address);
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
  async visit(path: string, options: BrowserContextOptions = {}): Promise<Page> {
    const context = await this.browser.newContext({ viewport: { width: 1440, height: 900 }, ...options });
    this.#contexts.push(context);
    context.setDefaultTimeout(10_000);
    context.on("weberror", (error) => this.complaints.push(error.error().message));
    context.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warning") this.complaints.push(message.text());
    });
    const page = await context.newPage();
    await page.goto(`${this.address}${path}`);
    return page;
  }

  /** Takes back what the browser had to say: of an answer that a test asked for, say, or of a server that it stopped. */
  forgive(complaint: RegExp): void {
    const others = this.complaints.splice(0).filter((text) => !complaint.test(text));
    this.complaints.push(...others);
  }

  /** Waits for the end of a run. */
  async ended(runId: string): Promise<void> {
    const { hub } = this.app;
    const stream = hub.stream({ latest: true });
    while (!hub.runs().some(({ id, finishedAt }) => id === runId && finishedAt !== null)) await stream.next(60_000);
    stream.close();
  }

  async closePages(): Promise<void> {
    await Promise.all(this.#contexts.splice(0).map((context) => context.close()));
  }

  /** Closes the pages of a test, and cancels what it left at work. */
  async leave(): Promise<void> {
    await this.closePages();
    const { hub, runs } = this.app;
    const unfinished = hub.runs().filter(({ finishedAt }) => finishedAt === null);
    for (const { id } of unfinished) await runs.actOnRun(id, "cancel");
    this.valve.pass();
    await Promise.all(unfinished.map(({ id }) => this.ended(id)));
  }

  async close(): Promise<void> {
    await this.leave();
    await this.browser.close();
    await this.stopServer();
    await rm(this.folder, { recursive: true });
  }
}

/** Starts a run through the form, of which two symbols are at work at once. */
export async function startRun(page: Page, symbols: string): Promise<void> {
  await page.getByLabel("Symbols", { exact: true }).fill(symbols);
  await page.getByLabel("Symbols at once").fill("2");
  await page.getByRole("button", { name: "Start run" }).click();
}

/** The row of a symbol. */
export const rowOf = (page: Page, symbol: string) =>
  page.locator(".queue tbody tr").filter({ hasText: symbol }).first();

/** Waits until the page receives live updates. */
export const live = (page: Page) => page.locator('#freshness[data-state="live"]').waitFor();
