import { expect, test } from "bun:test";
import { gunzipSync } from "node:zlib";
import fc from "fast-check";
import { GzipStream, Message } from "../../../src/routes/live/message.ts";
import { anyText } from "../../helpers/inputs/texts.ts";

const texts = fc.array(anyText({ maxLength: 300 }), { minLength: 1, maxLength: 20 });

test("any messages are one gzip file of their text, of which each piece is the same for every reader", () => {
  fc.assert(
    fc.property(texts, fc.nat(19), (all, late) => {
      const messages = all.map((text) => new Message(text));
      const sent = messages.slice(late % messages.length);
      const [early, later] = [new GzipStream(), new GzipStream()];
      const read = (stream: GzipStream, each: readonly Message[]) =>
        gunzipSync(Buffer.concat([...each.map((message) => stream.add(message)), stream.end()])).toString();
      expect(read(early, messages)).toBe(messages.map(({ plain }) => Buffer.from(plain).toString()).join(""));
      expect(read(later, sent)).toBe(sent.map(({ plain }) => Buffer.from(plain).toString()).join(""));
    }),
  );
});

test("a reader that was sent nothing gets no end of a file", () => {
  expect(new GzipStream().end()).toHaveLength(0);
});

test("rows that are much alike are sent in a tenth of their size", () => {
  const rows = Array.from(
    { length: 64 },
    (_, at) => `<tr id="job-S${at}"><td class="c-stage">Batch ${at}/365</td></tr>`,
  );
  const message = new Message(rows.join(""));
  expect(message.deflated.byteLength * 10).toBeLessThan(message.plain.byteLength);
});
