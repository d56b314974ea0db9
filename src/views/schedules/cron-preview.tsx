/** @jsxImportSource hono/jsx */
/** What a cron expression means, while it is typed: its words and its next times, or why it is refused. */

import { clockIn } from "../../domain/time.ts";

export type CronPreviewView =
  | { readonly error: string }
  | {
      /** The expression in words. */
      readonly words: string;
      readonly timeZone: string;
      /** Epoch milliseconds. */
      readonly nextRuns: readonly number[];
    };

export const CronPreview = ({ preview }: { preview: CronPreviewView }) =>
  "error" in preview ? (
    <p class="error">{preview.error}</p>
  ) : (
    <>
      <p>
        {preview.words} in {preview.timeZone}. Next:
      </p>
      <ol class="num">
        {preview.nextRuns.map((at) => (
          <li>{inZone(at, preview.timeZone)}</li>
        ))}
      </ol>
    </>
  );

/** `Mon 2026-03-09 18:30 EDT`; with the second where it is not the first of its minute. */
export function inZone(at: number, timeZone: string): string {
  const { weekday, date, time, zone } = clockIn(at, timeZone);
  return `${weekday} ${date} ${time.replace(/:00$/, "")} ${zone}`;
}
