/** Arithmetic with time zones: the offset of a zone at a moment, and the moment of a wall clock's time. */

const DAY = 86_400;
const WEEK = 7 * DAY;

interface ZoneTable {
  readonly format: Intl.DateTimeFormat;
  /** Offset by number of the week since 1970; NaN in a week in which it changes. */
  readonly weeks: Map<number, number>;
  /** Offset by day number, of the days of these weeks; NaN on a day on which it changes. */
  readonly days: Map<number, number>;
}

const tables = new Map<string, ZoneTable>();

function tableOf(timeZone: string): ZoneTable {
  let table = tables.get(timeZone);
  if (table === undefined) {
    const format = new Intl.DateTimeFormat("en-US", {
      timeZone,
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
      hourCycle: "h23",
    });
    table = { format, weeks: new Map(), days: new Map() };
    tables.set(timeZone, table);
  }
  return table;
}

function computeOffset({ format }: ZoneTable, ts: number): number {
  const part: Partial<Record<Intl.DateTimeFormatPartTypes, number>> = {};
  for (const { type, value } of format.formatToParts(ts * 1_000)) part[type] = Number(value);
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = part;
  return Date.UTC(year, month - 1, day, hour, minute, second) / 1_000 - Math.floor(ts);
}

/** Seconds by which the clocks of `timeZone` are ahead of UTC at `ts` (epoch seconds). */
export function offsetAt(timeZone: string, ts: number): number {
  if (timeZone === "UTC") return 0;
  const table = tableOf(timeZone);
  // No zone has changed its clocks back less than a week after changing them (Recife did so a week later, in 2000).
  let offset = constantOffset(table, table.weeks, ts, WEEK);
  if (Number.isNaN(offset)) offset = constantOffset(table, table.days, ts, DAY);
  return Number.isNaN(offset) ? computeOffset(table, ts) : offset;
}

/** The offset in the span of time around `ts`, if it is the same at both ends of it; NaN otherwise. */
function constantOffset(table: ZoneTable, known: Map<number, number>, ts: number, span: number): number {
  const number = Math.floor(ts / span);
  let offset = known.get(number);
  if (offset === undefined) {
    const [first, last] = [computeOffset(table, number * span), computeOffset(table, (number + 1) * span - 1)];
    offset = first === last ? first : Number.NaN;
    known.set(number, offset);
  }
  return offset;
}

/**
 * Epoch seconds at which the clocks of `timeZone` show `wall` (the same clock's time as epoch seconds of UTC). Of a time
 * that comes twice, the later moment; a time that is skipped counts on from the moment of the change.
 */
export function wallToUtc(timeZone: string, wall: number): number {
  // The clocks of a zone are less than a day from UTC: any change near the moment lies between these two offsets.
  const [before, after] = [offsetAt(timeZone, wall - DAY), offsetAt(timeZone, wall + DAY)];
  if (before === after) return wall - before;
  const isShown = (offset: number) => offsetAt(timeZone, wall - offset) === offset;
  if (!isShown(after)) return wall - before;
  return isShown(before) ? wall - Math.min(before, after) : wall - after;
}
