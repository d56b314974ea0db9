/** @jsxImportSource hono/jsx */
/** What a cron expression means, while it is typed: its words and its next times, or why it is refused. */

import { inZone } from "../ui/format.ts";

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
