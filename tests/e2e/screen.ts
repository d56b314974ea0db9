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

export class Screen {
  readonly #contexts: BrowserContext[] = [];
  #server: Bun.Server<undefined> | null = null;
  #app: App | null = null;
  /** What browsers complained of: script errors, refused resources, broken policies. */
  readonly complaints: string[] = [];

  private constructor(
    private readonly browser: Browser,
    private readonly folder: string,
    private readonly latency: number,
    private readonly csvFolder: string,
    private readonly env: Readonly<Record<string, string>>,
  ) {}

  /** Starts both; a request to the demo provider takes `latency` milliseconds, the csv provider reads `csvFolder`. */
  static async open(latency: number, csvFolder = ".", env: Readonly<Record<string, string>> = {}): Promise<Screen> {
    const [browser, folder] = await Promise.all([
      chromium
        .executablePath()
        .then((executablePath) =>
          driver.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu", "--font-render-hinting=none"] }),
        ),
      mkdtemp(join(tmpdir(), "barkeep-screen-")),
    ]);
    const screen = new Screen(browser, folder, latency, csvFolder, env);
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
      BARKEEP_CSV_DIR: this.csvFolder,
      DEMO_LATENCY_MS: String(this.latency),
      ...this.env,
    };
    this.#app = await createApp(readConfig(env, PROVIDERS), { print: () => {} });
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

  /** Closes the pages of a test. */
  async leave(): Promise<void> {
    await Promise.all(this.#contexts.splice(0).map((context) => context.close()));
  }

  async close(): Promise<void> {
    await this.leave();
    await this.browser.close();
    await this.stopServer();
    await rm(this.folder, { recursive: true });
  }
}

/** Starts a run through the form. */
export async function startRun(page: Page, symbols: string): Promise<void> {
  await page.getByLabel("Symbols", { exact: true }).fill(symbols);
  await page.getByRole("button", { name: "Start run" }).click();
}

/** The row of a symbol. */
export const rowOf = (page: Page, symbol: string) =>
  page.locator(".queue tbody tr").filter({ hasText: symbol }).first();

/** Waits until the page receives live updates. */
export const live = (page: Page) => page.locator('#freshness[data-state="live"]').waitFor();
