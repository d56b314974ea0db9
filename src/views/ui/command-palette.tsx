/** @jsxImportSource hono/jsx */
/** The command palette: pages, symbols, runs and actions from the keyboard (`public/app/ui/command-palette.js`). */

import { Icon } from "./components.tsx";
import { dom } from "./dom.ts";

/** A link to the search page; with JavaScript it opens the palette. */
export const SearchLink = () => (
  <a class="search-link" href="/search" id={dom.searchLink} data-shortcut-else="/">
    <Icon name="search" />
    <span>Search</span>
    <kbd>Ctrl K</kbd>
  </a>
);

/** A combo box whose list comes from the server, requested shortly after each key; only the last response counts. */
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
