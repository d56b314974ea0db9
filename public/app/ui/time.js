// Formats times and durations as src/domain/time.ts does on the server; tests/domain/time.test.ts compares both.

/** @typedef {"minute" | "clock" | "second" | "bare" | "column"} MomentStyle as in src/domain/time.ts */

/** @type {Map<string, Intl.DateTimeFormat>} */
const formats = new Map();

/**
 * @param {string} timeZone
 * @returns {Intl.DateTimeFormat}
 */
function formatIn(timeZone) {
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

/**
 * A moment on a 24-hour clock.
 * @param {number} at epoch milliseconds
 * @param {string} timeZone a name of the IANA database
 * @param {MomentStyle} style
 * @returns {string}
 */
export function writeMoment(at, timeZone, style) {
  const part = Object.fromEntries(
    formatIn(timeZone)
      .formatToParts(at)
      .map(({ type, value }) => [type, value]),
  );
  const minute = `${part.hour}:${part.minute}`;
  const second = `${minute}:${part.second}`;
  if (style === "bare") return second;
  if (style === "second") return `${second} ${part.timeZoneName}`;
  if (style === "clock") return `${minute} ${part.timeZoneName}`;
  const full = `${part.year}-${part.month}-${part.day} ${minute}`;
  return style === "column" ? full : `${full} ${part.timeZoneName}`;
}

/**
 * `UTC`, `New York time`: the name of a zone above a column of times.
 * @param {string} timeZone
 * @returns {string}
 */
export const zoneTitle = (timeZone) =>
  timeZone === "UTC" ? timeZone : `${timeZone.slice(timeZone.lastIndexOf("/") + 1).replaceAll("_", " ")} time`;

/** @param {number} value */
const pad = (value) => String(value).padStart(2, "0");

/**
 * `45s`, `3m 05s`, `2h 10m`.
 * @param {number} seconds
 * @returns {string}
 */
export function formatDuration(seconds) {
  const whole = Math.floor(seconds);
  if (whole < 60) return `${whole}s`;
  if (whole < 3_600) return `${Math.floor(whole / 60)}m ${pad(whole % 60)}s`;
  return `${Math.floor(whole / 3_600)}h ${pad(Math.floor((whole % 3_600) / 60))}m`;
}
