import { expect, test } from "bun:test";
import fc from "fast-check";
import { PANELS, Panels } from "../../../src/routes/live/panels.ts";

type PanelReaders = Panels["read"];

/** Panels whose content is a number each: the reset of a hold, bars of a minute, the id of a promise. */
function panelsOf(content: Record<(typeof PANELS)[number], number>) {
  return new Panels({
    quota: () => [{ hold: { until: content.quota, reason: "" } }] as unknown as ReturnType<PanelReaders["quota"]>,
    lastHour: () => ({ since: null, bars: [content.lastHour], requests: [], quotas: [] }),
    promises: () => [{ id: content.promises }] as unknown as ReturnType<PanelReaders["promises"]>,
  });
}

test("a page that shows the panels as they are is sent none of them", () => {
  const content = { quota: 1, lastHour: 1, promises: 1 };
  const panels = panelsOf(content);
  const drawn = panels.now().change;
  expect(panels.changedSince(drawn)).toEqual({ quota: false, lastHour: false, promises: false });
  content.lastHour = 2;
  expect(panels.changedSince(drawn)).toEqual({ quota: false, lastHour: true, promises: false });
  expect(panels.changedSince(0)).toEqual({ quota: true, lastHour: true, promises: true });
});

const panel = fc.constantFrom(...PANELS);
const viewer = fc.nat(2);
const step = fc.oneof(
  fc.record({ kind: fc.constant("change" as const), panel, value: fc.nat(2) }),
  fc.record({ kind: fc.constant("poll" as const), panel }),
  fc.record({ kind: fc.constantFrom("open" as const, "connect" as const, "leave" as const), viewer }),
);

test("however pages open, leave and come back, each shows the panels as they are after they were looked at", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const content = { quota: 0, lastHour: 0, promises: 0 };
      const panels = panelsOf(content);
      const viewers = Array.from({ length: 3 }, () => ({
        shows: { ...content },
        cursor: panels.now().change,
        on: false,
      }));
      const connected = () => viewers.filter(({ on }) => on);
      /** As the broadcaster does it: without readers nothing is sent. */
      const poll = (name: (typeof PANELS)[number]) => {
        if (connected().length === 0 || !panels.hasChanged(name)) return;
        for (const each of connected()) {
          each.shows[name] = content[name];
          each.cursor = panels.sent;
        }
      };
      for (const each of steps) {
        if (each.kind === "change") content[each.panel] = each.value;
        else if (each.kind === "poll") poll(each.panel);
        else {
          const who = viewers[each.viewer]!;
          if (each.kind === "open")
            Object.assign(who, { shows: { ...content }, cursor: panels.now().change, on: false });
          else if (each.kind === "leave") who.on = false;
          else if (!who.on) {
            if (connected().length === 0) for (const name of PANELS) panels.hasChanged(name);
            const changed = panels.changedSince(who.cursor);
            for (const name of PANELS) if (changed[name]) who.shows[name] = content[name];
            who.on = true;
          }
        }
      }
      for (const name of PANELS) poll(name);
      for (const { shows } of connected()) expect(shows).toEqual(content);
    }),
  );
});
