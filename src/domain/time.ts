/**
 * Formats dates, times and durations. The `iso…` functions take epoch seconds (`ts`): bars, sessions, resets. The others
 * take epoch milliseconds (`at`): events; their zone is always named.
 */

/** Whether epoch seconds are a moment that has a date, a day of margin included for time zones; NaN is none. */
export const isMoment = (ts: number): boolean => Math.abs(ts) <= 8.64e12 - 2 * 86_400;

/** `2026-03-02`: the date in UTC. The day of a daily bar is a date: no zone shifts it. */
export const isoDate = (ts: number): string => isoMillisecond(ts).slice(0, -"T00:00:00.000Z".length);

/** `2026-03-02T14:02:11Z`: parts of a second are left out. */
export const isoSecond = (ts: number): string => `${isoMillisecond(ts).slice(0, -".000Z".length)}Z`;

/** `2026-03-02T14:02:11.000Z`, as JSON writes moments. */
export const isoMillisecond = (ts: number): string => new Date(ts * 1_000).toISOString();

/** The same for a time that may be unknown. */
export const isoOrNull = (ts: number | null): string | null => (ts === null ? null : isoMillisecond(ts));

/** `2026-03-02`, or `2026-03-02 to 2026-03-05` where the dates differ. */
export function isoDates(from: number, to: number): string {
  const [first, last] = [isoDate(from), isoDate(to)];
  return first === last ? first : `${first} to ${last}`;
}

/** Midnight UTC (epoch seconds) of a `2026-03-02` that exists; NaN for anything else. */
export function parseIsoDate(text: string): number {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return Number.NaN;
  const ts = Date.parse(`${text}T00:00:00Z`) / 1_000;
  return Number.isNaN(ts) || isoDate(ts) !== text ? Number.NaN : ts;
}

/** The same in epoch milliseconds, as events have it; null for anything else. */
export function parseIsoDay(text: string): number | null {
  const ts = parseIsoDate(text);
  return Number.isNaN(ts) ? null : ts * 1_000;
}

/** Whether a range that may be open at either end does not end before it begins: nothing can lie in such a one. */
export const isInOrder = ({
  from,
  to,
}: {
  readonly from?: number | undefined;
  readonly to?: number | undefined;
}): boolean => from === undefined || to === undefined || from <= to;

/** What is said of a range that is not in order. */
export const NOT_IN_ORDER = "lies before from";

const ISO_MOMENT = /^(\d{4}-\d{2}-\d{2})[Tt ](\d{2}):(\d{2})(?::(\d{2})(\.\d{1,9})?)?(?:[Zz]|([+-])(\d{2}):?(\d{2}))?$/;

/**
 * Epoch seconds of an ISO date (midnight UTC) or date-time, which is UTC unless it names an offset, whatever the zone of
 * the machine; NaN for anything else, also for days and times that do not exist.
 */
export function parseIsoMoment(text: string): number {
  const parts = ISO_MOMENT.exec(text);
  if (!parts) return parseIsoDate(text);
  const [, date = "", hours, minutes, seconds = "0", fraction = "", sign, offsetHours = "0", offsetMinutes = "0"] =
    parts;
  const inRange = Number(hours) < 24 && Number(minutes) < 60 && Number(seconds) < 60;
  const offset = Number(offsetHours) * 3_600 + Number(offsetMinutes) * 60;
  if (!inRange || Number(offsetHours) > 18 || Number(offsetMinutes) > 59) return Number.NaN;
  const wall = parseIsoDate(date) + Number(hours) * 3_600 + Number(minutes) * 60 + Number(seconds);
  const utc = sign === "-" ? wall + offset : wall - offset;
  return fraction === "" ? utc : (utc * 1_000 + Number(fraction.slice(1, 4).padEnd(3, "0"))) / 1_000;
}

/** `2026-03-02 14:02 UTC` */
export const utcMinute = (at: number): string => writeMoment(at, "UTC", "minute");

/** `2026-03-02 14:02:11 UTC` */
export function utcSecond(at: number): string {
  const { date, time } = clockInUtc(at);
  return `${date} ${time} UTC`;
}

const pad = (value: number) => String(value).padStart(2, "0");

/** Seconds with one decimal below a minute: `7.4s`, `3m 05s`, `2h 10m`. */
export function formatExactDuration(seconds: number): string {
  return seconds < 59.95 ? `${seconds.toFixed(1)}s` : formatDuration(seconds + 0.05);
}

/** Whole seconds: `45s`, `3m 05s`, `2h 10m`. `public/app/ui/time.js` writes running clocks the same. */
export function formatDuration(seconds: number): string {
  const whole = Math.floor(seconds);
  if (whole < 60) return `${whole}s`;
  if (whole < 3_600) return `${Math.floor(whole / 60)}m ${pad(whole % 60)}s`;
  return `${Math.floor(whole / 3_600)}h ${pad(Math.floor((whole % 3_600) / 60))}m`;
}

/** The zones a reader can choose: UTC, the reader's own, and the exchange's. */
export const ZONES = ["utc", "local", "exchange"] as const;
export type Zone = (typeof ZONES)[number];

export const isZone = (value: unknown): value is Zone => ZONES.includes(value as Zone);

/** The exchange's time zone: sessions are those of New York. */
export const EXCHANGE_TIME_ZONE = "America/New_York";

/** Whether `name` is a time zone of the IANA database, as browsers name theirs. */
export function isTimeZone(name: string): boolean {
  if (!/^[A-Za-z][\w+/-]{0,63}$/.test(name)) return false;
  try {
    return new Intl.DateTimeFormat("en-US", { timeZone: name }).resolvedOptions().timeZone !== "";
  } catch {
    return false;
  }
}

/**
 * `minute`: `2026-03-02 14:02 UTC`, `clock`: `14:02 UTC`, `second`: `14:02:11 UTC`, `bare` and `column`: `14:02:11` and
 * `2026-03-02 14:02` below a head that names the zone.
 */
export type MomentStyle = "minute" | "clock" | "second" | "bare" | "column";

const formats = new Map<string, Intl.DateTimeFormat>();

/** The moment `at` by the clocks of a zone: `Mon`, `2026-03-09`, `18:30:00` and the zone's own name, `EDT`. */
export function clockIn(at: number, timeZone: string): { weekday: string; date: string; time: string; zone: string } {
  let format = formats.get(timeZone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat("en-US", {
      timeZone,
      weekday: "short",
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
      hour: "2-digit",
      minute: "2-digit",
      second: "2-digit",
      hourCycle: "h23",
      timeZoneName: "short",
    });
    formats.set(timeZone, format);
  }
  const part: Partial<Record<Intl.DateTimeFormatPartTypes, string>> = {};
  for (const { type, value } of format.formatToParts(at)) part[type] = value;
  return {
    weekday: part.weekday ?? "",
    date: `${part.year}-${part.month}-${part.day}`,
    time: `${part.hour}:${part.minute}:${part.second}`,
    zone: part.timeZoneName ?? timeZone,
  };
}

/** The moment `at` (epoch milliseconds) on a 24-hour clock; `public/app/ui/time.js` writes the same in the browser. */
export function writeMoment(at: number, timeZone: string, style: MomentStyle): string {
  // UTC needs no calendar: without that of the runtime, a moment takes a tenth of the time.
  const { date, time, zone } = timeZone === "UTC" ? clockInUtc(at) : clockIn(at, timeZone);
  switch (style) {
    case "minute":
      return `${date} ${time.slice(0, 5)} ${zone}`;
    case "clock":
      return `${time.slice(0, 5)} ${zone}`;
    case "second":
      return `${time} ${zone}`;
    case "bare":
      return time;
    case "column":
      return `${date} ${time.slice(0, 5)}`;
  }
}

function clockInUtc(at: number): Omit<ReturnType<typeof clockIn>, "weekday"> {
  const [date = "", time = ""] = new Date(at).toISOString().split("T");
  return { date, time: time.slice(0, 8), zone: "UTC" };
}

/** `UTC`, `New York time`: the name of a zone above a column of times. */
export const zoneTitle = (timeZone: string): string =>
  timeZone === "UTC" ? timeZone : `${timeZone.slice(timeZone.lastIndexOf("/") + 1).replaceAll("_", " ")} time`;
