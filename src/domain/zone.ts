/** Arithmetic with time zones: the offset of a zone at a moment, and the moment of a wall clock's time. */

const DAY = 86_400;

interface ZoneTable {
  readonly format: Intl.DateTimeFormat;
  /** Offset by day number; NaN on a day on which it changes. */
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
    table = { format, days: new Map() };
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
  const day = Math.floor(ts / DAY);
  let offset = table.days.get(day);
  if (offset === undefined) {
    const [first, last] = [computeOffset(table, day * DAY), computeOffset(table, (day + 1) * DAY - 1)];
    offset = first === last ? first : Number.NaN;
    table.days.set(day, offset);
  }
  return Number.isNaN(offset) ? computeOffset(table, ts) : offset;
}

/**
 * Epoch seconds at which the clocks of `timeZone` show `wall` (the same clock's time as epoch seconds of UTC). Of a time
 * that comes twice, the later moment; a time that is skipped counts on from the moment of the change.
 */
export function wallToUtc(timeZone: string, wall: number): number {
  const near = wall - offsetAt(timeZone, wall);
  return wall - offsetAt(timeZone, near);
}
