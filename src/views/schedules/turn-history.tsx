/** @jsxImportSource hono/jsx */
/** The last turns of a schedule: a bar each, its height by the duration of the run, its shape by the outcome. */

import { useContext } from "hono/jsx";
import type { Turn } from "../../domain/schedules.ts";
import { formatDuration, writeMoment } from "../../domain/time.ts";
import { ReaderZone } from "../ui/components.tsx";
import { plural } from "../ui/format.ts";

/** The shapes and colours of a bar. */
type BarStyle = "good" | "bad" | "working" | "cancelled" | "skipped" | "missed";

const WIDTH = 10;
const HEIGHT = 24;
/** Heights of the shortest and the longest run. */
const LOW = 8;

function styleOf({ outcome, run }: Turn): BarStyle {
  if (outcome === "refused") return "bad";
  if (outcome === "skipped" || outcome === "missed") return outcome;
  switch (run?.state) {
    case "failed":
      return "bad";
    case "cancelled":
      return "cancelled";
    case "running":
    case "paused":
      return "working";
    default:
      return "good";
  }
}

/** `Complete, 2026-11-23 23:30 UTC: 11 symbols in 12s` */
function describeTurn({ outcome, dueAt, note, run }: Turn, zone: string): string {
  const what = run ? run.state : outcome;
  const when = writeMoment(dueAt, zone, "minute");
  const failed = run && run.failed > 0 ? `, ${run.failed} failed` : "";
  const took = run?.seconds == null ? "" : ` in ${formatDuration(run.seconds)}`;
  const more = run ? `${plural(run.complete, "symbol")} complete${failed}${took}` : note;
  return `${what.charAt(0).toUpperCase()}${what.slice(1)}, ${when}${more === "" ? "" : `: ${more}`}`;
}

/** Oldest first, so that time runs to the right; each bar links to its run. */
export const TurnSpark = ({ turns, name }: { turns: readonly Turn[]; name: string }) => {
  const zone = useContext(ReaderZone);
  if (turns.length === 0) return null;
  const longest = Math.max(...turns.map(({ run }) => run?.seconds ?? 0));
  return (
    <ol class="turns" aria-label={`Last ${plural(turns.length, "run")} of ${name}, the newest at the end`}>
      {turns.toReversed().map((turn) => {
        const words = describeTurn(turn, zone);
        const share = longest > 0 ? (turn.run?.seconds ?? 0) / longest : 0;
        const bar = <Bar look={styleOf(turn)} height={Math.round(LOW + (HEIGHT - 1 - LOW) * share)} />;
        return (
          <li>
            {turn.run ? (
              <a href={`/runs/${turn.run.id}`} title={words} aria-label={words}>
                {bar}
              </a>
            ) : (
              <span role="img" title={words} aria-label={words}>
                {bar}
              </span>
            )}
          </li>
        );
      })}
    </ol>
  );
};

const Bar = ({ look, height }: { look: BarStyle; height: number }) => (
  <svg class={`turn turn-${look}`} width={WIDTH} height={HEIGHT} aria-hidden="true">
    <path d={shapeOf(look, HEIGHT - height)} />
  </svg>
);

/** Shapes differ without colour: full, pointed, hollow, dashed, a low mark, a ring. `top` is the y of the bar's top. */
function shapeOf(look: BarStyle, top: number): string {
  switch (look) {
    case "bad":
      return `M1 ${HEIGHT}V${top + 5}L5 ${top}L9 ${top + 5}V${HEIGHT}z`;
    case "skipped":
      return `M1 ${HEIGHT}v-4h8v4z`;
    case "missed":
      return `M5 ${HEIGHT - 1}a3.5 3.5 0 1 1 .01 0z`;
    default:
      return `M1 ${HEIGHT - 0.5}V${top + 0.5}H9V${HEIGHT - 0.5}z`;
  }
}
