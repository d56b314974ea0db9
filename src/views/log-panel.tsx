/** @jsxImportSource hono/jsx */
/** The log beside the queue, newest line first. */

import type { LogLine } from "../domain/telemetry.ts";
import { dom, Moment, ZoneTitle } from "./ui.tsx";

/** Lines the panel holds; older ones leave it (`public/app/live.js` trims, the server keeps all). */
export const LOG_PANEL_LINES = 200;

/** Words for the levels that need a second look; the others go without. */
const LEVEL_WORDS = { debug: null, info: null, warn: "Warning", error: "Error" } as const;

const LogEntry = ({ line }: { line: LogLine }) => {
  const word = LEVEL_WORDS[line.level];
  return (
    <li class={`log-${line.level}`} id={`log-${line.id}`}>
      <Moment at={line.at} style="bare" />
      <span>
        {word ? <b>{word}: </b> : null}
        {line.message}
      </span>
    </li>
  );
};

/** `lines` in the order in which they were written; `whole` is where all of them can be had as a file. */
export const LogPanel = ({ lines, whole }: { lines: readonly LogLine[]; whole?: string }) => (
  <section class="log" aria-labelledby="log-title">
    <header>
      <h2 id="log-title">Log</h2>
      <span class="muted">
        newest first, <ZoneTitle />
      </span>
      {whole ? (
        <a href={whole} download>
          Download all
        </a>
      ) : null}
    </header>
    <ol id={dom.logLines} data-keep={LOG_PANEL_LINES} tabindex={0} aria-label="Log lines, newest first">
      <LogEntries lines={lines} />
    </ol>
  </section>
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
