/** Prints lines for people. What they repeat may come from anybody, so no character of it controls the terminal. */

import { onOneLine } from "../domain/errors.ts";

export const print = (line: string): void => console.log(onOneLine(line));

export const printError = (line: string): void => console.error(onOneLine(line));
