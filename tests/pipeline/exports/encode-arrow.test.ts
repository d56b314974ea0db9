import { expect, test } from "bun:test";
import { tableFromIPC } from "apache-arrow";
import { encodeArrow } from "../../../src/pipeline/exports/arrow/encode-arrow.ts";
import { DTYPES } from "../../../src/pipeline/exports/table-block.ts";
import { bytesOf, minutes, tableBlocks, tableHead } from "../../helpers/tables.ts";

/** Doubles that are no numbers, with other bits each. */
const UNDEFINED = [0x7ff8_0000_0000_0000n, 0xfff8_0000_0000_0000n, 0x7ff8_0000_0000_0001n];

test.each(DTYPES)("an Arrow file is the same whichever NaN stands for an undefined value, as %s", async (dtype) => {
  const files = await Promise.all(
    UNDEFINED.map((bits) => {
      const column = Float64Array.of(1.5, 0, -2.5, 0);
      new BigUint64Array(column.buffer).fill(bits, 1, 2);
      return bytesOf(encodeArrow(tableHead(["x"], { dtype }), tableBlocks(minutes(4), [column])));
    }),
  );
  const [first, ...others] = files.map((file) => Buffer.from(file).toString("hex"));
  expect(others).toEqual([first!, first!]);
  expect([...tableFromIPC(new Uint8Array(files[0]!)).getChild("x")!]).toEqual([1.5, null, -2.5, 0]);
});
