/** Reads numbers with a decimal point or comma, thousands separators and currency signs; never by guessing. */

/** Which sign stands before the decimals: decided over the whole file. */
export type DecimalSign = "." | ",";

const NOISE = /[\s\u00a0\u202f\u2009$€£¥₹]/g;
/** Digits in one piece, or in groups of three (or of two and a last one of three, as in India). */
const POINT = /^[+-]?(?:\d{1,3}(?:,\d{2,3})*,\d{3}|\d+)?(?:\.\d*)?(?:e[+-]?\d{1,3})?$/i;
const COMMA = /^[+-]?(?:\d{1,3}(?:\.\d{3})+|\d+)?(?:,\d*)?(?:e[+-]?\d{1,3})?$/i;
/** Spaces and apostrophes separate thousands only between digits, in groups of three. */
const SPACED = /^[+-]?\d{1,3}(?:[ \u00a0\u202f\u2009'’]\d{3})+(?=$|[.,])/;
const MAGNITUDES: Readonly<Record<string, number>> = { K: 1e3, M: 1e6, B: 1e9 };
/** What stands in a cell instead of a number that is not known. */
const UNKNOWN = new Set(["", "-", "--", "n/a", "na", "nan", "null", "none", "#n/a"]);

/** Whether a cell says that its value is not known. */
export const isUnknownCell = (cell: string): boolean => UNKNOWN.has(cell.trim().toLowerCase());

/** The cell without currency signs and spaces, or `null` if a space stands where none belongs. */
function bare(cell: string): string | null {
  const text = cell.trim();
  if (/\d[ \u00a0\u202f\u2009'’]+\d/.test(text)) {
    const spaced = SPACED.exec(text);
    if (!spaced) return null;
    return spaced[0].replace(/[^\d+-]/g, "") + text.slice(spaced[0].length).replace(NOISE, "");
  }
  return text.replace(NOISE, "");
}

/** What a cell says of the decimal sign of its file: `either` for `1,234`, `null` where nothing can be learnt. */
export function signOf(cell: string): DecimalSign | "either" | null {
  const text = bare(cell)?.replace(/^[+-]/, "") ?? "";
  const [commas, points] = [text.split(",").length - 1, text.split(".").length - 1];
  if (commas + points === 0 || !/^\d*[\d.,]*\d*(?:e[+-]?\d+)?[kmb]?$/i.test(text)) return null;
  if (commas > 0 && points > 0) return text.lastIndexOf(",") > text.lastIndexOf(".") ? "," : ".";
  if (commas > 1) return ".";
  if (points > 1) return ",";
  const mark = commas === 1 ? "," : ".";
  const [whole = "", decimals = ""] = text.split(mark);
  const isGroup = /^\d{3}$/.test(decimals) && /^[1-9]\d{0,2}$/.test(whole);
  if (!isGroup) return mark;
  return mark === "," ? "either" : null;
}

/** Whether a cell is `1.234`, which has decimals in some countries and thousands in others. */
export const isEitherPoint = (cell: string): boolean => /^[+-]?[1-9]\d{0,2}\.\d{3}$/.test(bare(cell) ?? "");

/** Prices of neighbouring rows differ by less than the first factor; by more than the second, one of them is misread. */
const NEAR = 2;
const FAR = 10;

/** What prices that belong together show of such a point; `null` if both readings are possible, or there is another sign. */
export function signAmong(cells: readonly string[]): DecimalSign | null {
  const texts = cells.map((cell) => bare(cell) ?? "");
  if (!texts.every((text) => /^[1-9]\d*$/.test(text) || isEitherPoint(text))) return null;
  // Whoever writes 15234 separates no thousands.
  if (!texts.some((text) => text.includes("."))) return texts.some((text) => text.length > 3) ? "." : null;
  const [point, comma] = ([".", ","] as const).map((sign) => {
    const values = texts.map((text) => readNumber(text, sign));
    return Math.max(...values) / Math.min(...values);
  });
  if (point! < NEAR && comma! > FAR) return ".";
  return comma! < NEAR && point! > FAR ? "," : null;
}

/** The number in a cell; NaN for any other text, hexadecimal and infinite ones included. */
export function readNumber(cell: string, sign: DecimalSign): number {
  const text = bare(cell);
  if (text === null || !/\d/.test(text)) return Number.NaN;
  if (!(sign === "." ? POINT : COMMA).test(text)) return Number.NaN;
  return Number(sign === "." ? text.replaceAll(",", "") : text.replaceAll(".", "").replace(",", "."));
}

/** A volume, which may end with K, M or B. */
export function readVolume(cell: string, sign: DecimalSign): number {
  const factor = MAGNITUDES[cell.trim().slice(-1).toUpperCase()];
  if (factor === undefined) return readNumber(cell, sign);
  // Counts are whole: 55.47 million must not become 55469999.99999999.
  return Math.round(readNumber(cell.trim().slice(0, -1), sign) * factor * 1e3) / 1e3;
}
