// The panes below a chart: a menu that adds one, and the list of those that are shown.

import { MOST_PANES, paneOf, panesOf, writePanes } from "../chart/panes.js";
import { find } from "../ui/dom.js";
import { writeQuery } from "./address.js";
import { showChips } from "./chips.js";

/** @import { PaneKind } from "../chart/panes.js" */

export class PaneList {
  #list;
  #select;
  #changed;
  #say;
  /** The features that have a pane. */
  #features;
  /** @type {readonly PaneKind[]} */
  #panes;

  /**
   * @param {HTMLElement} root
   * @param {() => void} changed
   * @param {(text: string) => void} say
   */
  constructor(root, changed, say) {
    this.#list = /** @type {HTMLElement} */ (find("[data-panes]", root));
    this.#select = /** @type {HTMLSelectElement} */ (find("[data-pane]", root));
    this.#changed = changed;
    this.#say = say;
    this.#features = new Set([...this.#select.options].map(({ value }) => value));
    this.#panes = panesOf(new URLSearchParams(location.search), this.#features);
    this.#select.addEventListener("change", () => this.#add());
    this.#show();
  }

  get panes() {
    return this.#panes;
  }

  #add() {
    const pane = paneOf(this.#select.value, this.#features);
    this.#select.value = "";
    if (pane === null || this.#panes.some(({ key }) => key === pane.key)) return;
    if (this.#panes.length >= MOST_PANES) this.#say(`At most ${MOST_PANES} panes: remove one first`);
    else {
      this.#say("");
      this.#set([...this.#panes, pane]);
    }
  }

  /** @param {readonly PaneKind[]} panes */
  #set(panes) {
    this.#panes = panes;
    writeQuery((address) => writePanes(address, panes));
    this.#show();
    this.#changed();
  }

  #show() {
    const chips = this.#panes.map(({ key, title }) => ({
      name: title,
      remove: () => {
        this.#set(this.#panes.filter((pane) => pane.key !== key));
        this.#select.focus();
      },
    }));
    showChips(this.#list, chips);
  }
}
