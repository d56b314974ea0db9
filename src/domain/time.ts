/** How moments are written: in a zone that is always named. Days of daily bars are dates: they are never shifted. */

/** The zones a reader can choose: UTC, the reader's own, and the exchange's. */
export const ZONES = ["utc", "local", "exchange"] as const;
export type Zone = (typeof ZONES)[number];

export const isZone = (value: unknown): value is Zone => ZONES.includes(value as Zone);

/** Where the exchange's clock hangs: sessions are those of New York. */
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
 * - `minute`: `2026-03-02 14:02 UTC`
 * - `clock`: `14:02 UTC`
 * - `second`: `14:02:11 UTC`
 * - `bare`: `14:02:11`, where the zone stands above the column
 */
export type MomentStyle = "minute" | "clock" | "second" | "bare";

const formats = new Map<string, Intl.DateTimeFormat>();

function formatIn(timeZone: string): Intl.DateTimeFormat {
  let format = formats.get(timeZone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat("en-US", {
      timeZone,
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
  return format;
}

/** The moment `at` (epoch milliseconds) on a 24-hour clock; `public/app/ui/time.js` writes the same in the browser. */
export function writeMoment(at: number, timeZone: string, style: MomentStyle): string {
  let [date, time, name] = ["", "", "UTC"];
  if (timeZone === "UTC") {
    [date, time] = new Date(at).toISOString().slice(0, 19).split("T") as [string, string];
  } else {
    const parts = Object.fromEntries(
      formatIn(timeZone)
        .formatToParts(at)
        .map(({ type, value }) => [type, value]),
    );
    date = `${parts.year}-${parts.month}-${parts.day}`;
    time = `${parts.hour}:${parts.minute}:${parts.second}`;
    name = parts.timeZoneName ?? timeZone;
  }
  switch (style) {
    case "minute":
      return `${date} ${time.slice(0, 5)} ${name}`;
    case "clock":
      return `${time.slice(0, 5)} ${name}`;
    case "second":
      return `${time} ${name}`;
    case "bare":
      return time;
  }
}

/** `UTC`, `New York time`: the name of a zone above a column of times. */
export const zoneTitle = (timeZone: string): string =>
  timeZone === "UTC" ? timeZone : `${timeZone.slice(timeZone.lastIndexOf("/") + 1).replaceAll("_", " ")} time`;
