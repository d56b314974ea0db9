/** @jsxImportSource hono/jsx */
/** The log beside the queue, newest line first. */

import type { LogLine } from "../../domain/log.ts";
import { LogMoment, ZoneTitle } from "../ui/components.tsx";
import { dom } from "../ui/dom.ts";

/** Most lines in the panel; `public/app/live/log-panel.js` removes older ones, the server keeps all. */
export const LOG_PANEL_LINES = 200;

/** The lines that a page is sent with; those that come are added to them. */
export const LOG_PAGE_LINES = 25;

/** Prefixes of warnings and errors; other levels have none. */
const LEVEL_WORDS = { debug: null, info: null, warn: "Warning", error: "Error" } as const;

const LogEntry = ({ line }: { line: LogLine }) => {
  const word = LEVEL_WORDS[line.level];
  return (
    <li class={`log-${line.level}`} id={`log-${line.id}`}>
      <LogMoment at={line.at} />
      <span>
        {word ? <b>{word}: </b> : null}
        {line.message}
      </span>
    </li>
  );
};

/** The search and download of a log. */
export interface LogSearch {
  /** What the lines contain; empty for all. */
  readonly text: string;
  /** The address of the page; the log is downloaded from its `/log`. */
  readonly page: string;
}

/** `lines` in the order in which they were written. */
export const LogPanel = ({ lines, search }: { lines: readonly LogLine[]; search?: LogSearch }) => (
  <section class="log" aria-labelledby="log-title">
    <header>
      <h2 id="log-title">Log</h2>
      <span class="muted">
        newest first, <ZoneTitle />
      </span>
      {search ? <SearchForm {...search} /> : null}
    </header>
    <ol id={dom.logLines} data-keep={LOG_PANEL_LINES} tabindex={0} aria-label="Log lines, newest first">
      <LogEntries lines={lines} />
    </ol>
    <p class="log-none">{search?.text ? `No line contains “${search.text}”.` : "Activity appears here."}</p>
  </section>
);

const SearchForm = ({ text, page }: LogSearch) => (
  <>
    <a href={`${page}/log${text === "" ? "" : `?log=${encodeURIComponent(text)}`}`} download>
      {text === "" ? "Download all" : "Download these"}
    </a>
    <search>
      <form method="get">
        <label for="log-search" class="visually-hidden">
          Search the log
        </label>
        <input
          id="log-search"
          name="log"
          type="search"
          value={text}
          placeholder="Search the log: warn, HTTP 503, Batch 7"
          autocomplete="off"
          spellcheck={false}
          data-shortcut="/"
        />
        {text === "" ? null : <a href={page}>Show all</a>}
      </form>
    </search>
  </>
);

/** The newest lines, newest first; at most as many as the panel holds. */
export const LogEntries = ({ lines }: { lines: readonly LogLine[] }) => (
  <>
    {lines
      .slice(-LOG_PANEL_LINES)
      .reverse()
      .map((line) => (
        <LogEntry line={line} />
      ))}
  </>
);
