/**
 * Pages that tests use one after the other. A browser profile of its own is a process of its own, which has to start, and
 * to load and compile every script of the page.
 */

import type { Browser, BrowserContext, BrowserContextOptions, Disposable, Page } from "playwright-core";

/** What a test may listen to on a page that others use after it. */
const EVENTS = ["request", "response", "framenavigated"] as const;

/** What a page gets before a test opens its first document. */
export interface Preparation {
  /** What the reader allows this site, e.g. notifications. */
  readonly permissions?: readonly string[];
  /** Runs in every document before its own scripts; in other pages of the profile, too. */
  readonly script?: string;
}

/** Receives what a page reports, and when that occurred (epoch milliseconds). */
type Report = (text: string, at: number) => void;

/** Reports script errors, refused resources and violated policies of the pages of a profile. */
export function onReports(context: BrowserContext, report: Report): void {
  context.on("weberror", (error) => report(error.error().message, Date.now()));
  context.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") report(message.text(), message.timestamp());
  });
}

export class KeptPage {
  /** Receives what the page reports while a test uses it. */
  report: Report | null = null;
  /** Of the test that uses it. */
  #script: Disposable | undefined;

  private constructor(
    private readonly context: BrowserContext,
    readonly page: Page,
    private readonly options: BrowserContextOptions,
  ) {}

  static async open(browser: Browser, options: BrowserContextOptions): Promise<KeptPage> {
    const context = await browser.newContext(options);
    const kept = new KeptPage(context, await context.newPage(), options);
    onReports(context, (text, at) => kept.report?.(text, at));
    return kept;
  }

  get runsScripts(): boolean {
    return this.options.javaScriptEnabled !== false;
  }

  async prepare({ permissions = [], script }: Preparation): Promise<void> {
    if (permissions.length > 0) await this.context.grantPermissions([...permissions]);
    if (script !== undefined) this.#script = await this.context.addInitScript(script);
  }

  /**
   * Goes to `address`, of the same site, and removes what a test has left: other pages, cookies, stored values, permissions,
   * the script, headers, routes, listeners, the size of the window, the place of the pointer. The cache of files remains.
   * Returns whether another test can use the page.
   */
  async clear(address: string): Promise<boolean> {
    const { page, context, options } = this;
    if (page.isClosed()) {
      await context.close();
      return false;
    }
    for (const event of EVENTS) page.removeAllListeners(event);
    for (const other of context.pages()) if (other !== page) await other.close();
    await Promise.all([
      page.unrouteAll({ behavior: "ignoreErrors" }),
      // A page that could not be loaded has no storage.
      page.evaluate("try { localStorage.clear(); sessionStorage.clear(); } catch {}"),
      page.mouse.move(0, 0),
      context.clearCookies(),
      context.clearPermissions(),
      this.#script?.dispose(),
      page.setExtraHTTPHeaders({}),
    ]);
    // What was reported until now belongs to the test; requests that are cut off by leaving do not.
    this.report = null;
    this.#script = undefined;
    if (options.viewport) await page.setViewportSize(options.viewport);
    await page.goto(address);
    return true;
  }
}
