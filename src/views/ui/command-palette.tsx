/** @jsxImportSource hono/jsx */
/** The palette: go anywhere and do the small things from the keyboard. `public/app/ui/command-palette.js` opens it. */

import { Icon } from "./components.tsx";
import { dom } from "./dom.ts";

/** How a page begins a search: a link to the page of it, which opens the palette where there is JavaScript. */
export const SearchLink = () => (
  <a class="search-link" href="/search" id={dom.searchLink} data-shortcut-else="/">
    <Icon name="search" />
    <span>Search</span>
    <kbd>Ctrl K</kbd>
  </a>
);

/** A combo box whose list the server sends; it asks again a moment after each letter, and only the last answer counts. */
export const Palette = () => (
  <dialog id={dom.palette} class="palette" aria-label="Search">
    <form method="get" action="/search" class="palette-field">
      <Icon name="search" />
      <input
        name="q"
        maxlength={100}
        placeholder="Pages, symbols, runs, schedules, actions"
        aria-label="Pages, symbols, runs, schedules, actions"
        role="combobox"
        aria-expanded="true"
        aria-controls={dom.paletteList}
        aria-autocomplete="list"
        autocomplete="off"
        spellcheck={false}
        enterkeyhint="go"
        hx-get="/search"
        hx-trigger="input changed delay:60ms, refresh"
        hx-target={`#${dom.paletteResults}`}
        hx-swap="innerHTML"
        hx-sync="this:replace"
      />
      <kbd>Esc</kbd>
    </form>
    <div id={dom.paletteResults} class="palette-results">
      <div id={dom.paletteList} role="listbox" aria-label="Results" />
    </div>
  </dialog>
);
