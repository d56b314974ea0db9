/** Splits one line of a delimited file into its cells. */

export interface CsvLine {
  readonly cells: string[];
  /** Whether a quotation mark is open at the end, so that the cell may go on in the next line. */
  readonly isOpen: boolean;
}

/** Cells of `text`; inside of quotation marks delimiters and doubled marks belong to the cell. */
export function splitLine(text: string, delimiter: string): CsvLine {
  if (!text.includes('"')) return { cells: text.split(delimiter), isOpen: false };
  const cells: string[] = [];
  let at = 0;
  for (;;) {
    let start = at;
    while (text[start] === " ") start++;
    if (text[start] === '"') {
      let cell = "";
      let from = start + 1;
      for (;;) {
        const end = text.indexOf('"', from);
        if (end < 0) {
          cells.push(cell + text.slice(from));
          return { cells, isOpen: true };
        }
        cell += text.slice(from, end);
        from = end + 1;
        if (text[from] !== '"') break;
        cell += '"';
        from++;
      }
      const end = text.indexOf(delimiter, from);
      cells.push(cell + text.slice(from, end < 0 ? undefined : end));
      if (end < 0) return { cells, isOpen: false };
      at = end + 1;
    } else {
      const end = text.indexOf(delimiter, at);
      cells.push(text.slice(at, end < 0 ? undefined : end));
      if (end < 0) return { cells, isOpen: false };
      at = end + 1;
    }
  }
}

/** Possible delimiters. A comma may also be a decimal sign, so it comes last. */
const DELIMITERS = ["\t", ";", "|", ","];
/** A line of bars has at least as many delimiters. */
const ENOUGH = 4;

/** The delimiter of a line: the first of which there are enough, or else the most frequent one. */
export function guessDelimiter(line: string): string {
  const count = (delimiter: string) => splitLine(line, delimiter).cells.length - 1;
  const enough = DELIMITERS.find((delimiter) => count(delimiter) >= ENOUGH);
  return enough ?? DELIMITERS.reduceRight((best, next) => (count(next) > count(best) ? next : best), ",");
}
