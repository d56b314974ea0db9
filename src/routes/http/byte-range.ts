/** Byte ranges of a request (RFC 9110 §14). */

/** Half-open, bytes. */
interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** `whole`: there is no range, or one that is ignored. `unsatisfiable`: nothing of the file lies in it. */
export type RequestedRange = ByteRange | "whole" | "unsatisfiable";

const RANGES = /^bytes=(.*)$/i;
const RANGE = /^(\d*)-(\d*)$/;

/**
 * The part of a file of `size` bytes that the header `Range` asks for. What is no valid range of bytes, and several
 * ranges, are answered with the whole file: §14.2 lets a server ignore the header, and readers of columnar files send
 * one range a request.
 */
export function requestedRange(header: string | undefined, size: number): RequestedRange {
  const list = RANGES.exec(header?.trim() ?? "")?.[1];
  if (list === undefined) return "whole";
  const ranges = list.split(",").flatMap((each) => each.trim() || []);
  const [, first = "", last = ""] = (ranges.length === 1 && RANGE.exec(ranges[0]!)) || [];
  if (first === "" && last === "") return "whole";
  // No range can name the bytes of an empty file in an answer.
  if (size === 0) return "whole";
  if (first === "")
    return Number(last) === 0 ? "unsatisfiable" : { start: Math.max(0, size - Number(last)), end: size };
  const start = Number(first);
  if (last !== "" && Number(last) < start) return "whole";
  if (start >= size) return "unsatisfiable";
  return { start, end: last === "" ? size : Math.min(size, Number(last) + 1) };
}
