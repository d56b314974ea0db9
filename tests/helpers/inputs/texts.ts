/** Texts of any characters, for properties. */

import fc from "fast-check";

/** Code points below U+D800, and those above U+DFFF moved down: between them are halves of pairs, which are no characters. */
const character = fc
  .nat({ max: 0x10ffff - 0x800 })
  .map((index) => String.fromCodePoint(index < 0xd800 ? index : index + 0x800));

/** Names that every object has, and that a table of names may confuse with its own. */
const inherited = fc.constantFrom("__proto__", "constructor", "hasOwnProperty", "isPrototypeOf", "toString", "valueOf");

/**
 * Texts of any characters, and the names above. As `fc.string({ unit: "binary" })`, which first makes a table of all
 * characters, in half a second of each process.
 */
export function anyText(limits: fc.StringSharedConstraints = {}): fc.Arbitrary<string> {
  return fc.oneof(
    { weight: 15, arbitrary: fc.string({ ...limits, unit: character }) },
    { weight: 1, arbitrary: inherited },
  );
}
