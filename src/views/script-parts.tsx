/** @jsxImportSource hono/jsx */
/**
 * What is the same on every page, and what only scripts use: it comes with the script, which browsers keep, so that no
 * page has it. `public/app/ui/parts.js` adds it to the document.
 */

import { FILTER_WORDS } from "../domain/runs/queue/job-filter.ts";
import { JobMenu } from "./jobs/job-menu.tsx";
import { NotificationOffer } from "./notifications.tsx";
import { Palette } from "./ui/command-palette.tsx";
import { dom } from "./ui/dom.ts";
import { Sprite } from "./ui/icons.tsx";
import { NAVIGATION, Toast } from "./ui/layout.tsx";

const KEYS = [
  ["Ctrl K", "Go to a page, a symbol, a run; choose theme and time zone"],
  ["/", "Filter what is on the page, or search everywhere"],
  ["n", "Type symbols for a new run"],
  ["j", "Next row"],
  ["k", "Previous row"],
  ["x", "Select the row"],
  ["X", "Select all rows from the last one to this"],
  ["o", "Apply new order"],
  [`1 – ${NAVIGATION.length}`, NAVIGATION.map(({ title }) => title).join(", ")],
  ["Esc", "Close a menu or a dialog, or clear the selection"],
  ["?", "This list"],
] as const;

/** The list of keyboard shortcuts; `public/app/ui/shortcuts.js` binds them by `data-shortcut`. */
const Keys = () => (
  <section id={dom.keys} class="keys" popover="auto" aria-labelledby="keys-title">
    <h2 id="keys-title">Keyboard</h2>
    <dl>
      {KEYS.map(([key, meaning]) => (
        <div>
          <dt>
            <kbd>{key}</kbd>
          </dt>
          <dd>{meaning}</dd>
        </div>
      ))}
    </dl>
  </section>
);

/** The words of the filter, which `public/app/ui/autocomplete.js` offers while one types. */
const FilterWords = () => (
  <datalist id={dom.filterWords}>
    {FILTER_WORDS.map((word) => (
      <option value={word} />
    ))}
  </datalist>
);

/** What `public/app/jobs/actions.js` shows when a form got no answer; whether the server got it cannot be known. */
const Unanswered = () => (
  <template id={dom.unanswered}>
    <Toast level="error">The server did not answer, and may not have got this. Try again when the page is live.</Toast>
  </template>
);

/** The parts as HTML with local addresses. */
export const scriptParts = (): string =>
  [<Sprite />, <Keys />, <Palette />, <JobMenu />, <FilterWords />, <NotificationOffer />, <Unanswered />].join("");
