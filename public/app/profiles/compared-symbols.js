// Other symbols in a chart: a field that adds one, with completion, and the list of those that are compared.

import { comparedOf, MOST_COMPARED, writeCompared } from "../chart/panes.js";
import { ask } from "../chart/rows.js";
import { find } from "../ui/dom.js";
import { writeQuery } from "./address.js";
import { showChips } from "./chips.js";

/** @import { Other } from "../chart/loader.js" */

/** Pause in typing after which symbols are asked for, milliseconds. */
const PAUSE = 150;

export class ComparedSymbols {
  #symbol;
  #changed;
  #say;
  #list;
  #field;
  #options;
  /** @type {readonly string[]} */
  #compared;
  /** Symbols that the server has been asked for and has. @type {Set<string>} */
  #known = new Set();
  /** Why symbols were refused, until they are removed or typed again. @type {Map<string, string>} */
  #refused = new Map();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #typing;

  /**
   * @param {HTMLElement} root
   * @param {string} symbol that of the page
   * @param {() => void} changed
   * @param {(text: string) => void} say
   */
  constructor(root, symbol, changed, say) {
    /** @param {string} selector */
    const part = (selector) => /** @type {HTMLElement} */ (find(selector, root));
    this.#symbol = symbol;
    this.#changed = changed;
    this.#say = say;
    this.#list = part("[data-compared]");
    this.#field = /** @type {HTMLInputElement} */ (part("[data-compare] input"));
    this.#options = part("[data-compare] datalist");
    this.#compared = comparedOf(new URLSearchParams(location.search), symbol);
    part("[data-compare]").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#add();
    });
    this.#field.addEventListener("input", () => {
      clearTimeout(this.#typing);
      this.#typing = setTimeout(() => this.#complete(), PAUSE);
    });
    this.show(new Map());
  }

  get symbols() {
    return this.#compared;
  }

  /** @param {ReadonlyMap<string, string>} notes what is said of each symbol */
  show(notes) {
    const compared = this.#compared.map((name, index) => ({
      name,
      swatch: `series-${index + 1}`,
      note: notes.get(name) ?? "",
      remove: () => {
        this.#set(this.#compared.filter((each) => each !== name));
        this.#field.focus();
      },
    }));
    const refused = [...this.#refused].map(([name, note]) => ({
      name,
      note,
      isRefused: true,
      remove: () => {
        this.#refused.delete(name);
        this.show(notes);
        this.#field.focus();
      },
    }));
    showChips(this.#list, [...compared, ...refused]);
  }

  /**
   * Takes out symbols that the server does not have, and says why at their chips. One that it had stays: another view may
   * have bars of it again.
   * @param {Map<string, Other>} others what came of the symbols
   */
  settle(others) {
    for (const [other, { isRefused }] of others) if (!isRefused) this.#known.add(other);
    const out = this.#compared.filter((other) => others.get(other)?.isRefused && !this.#known.has(other));
    if (out.length === 0) return;
    for (const other of out) {
      this.#refused.set(other, others.get(other)?.fault ?? "");
      others.delete(other);
    }
    this.#say(`${out.join(", ")} cannot be compared`);
    this.#set(this.#compared.filter((other) => !this.#refused.has(other)));
  }

  #add() {
    const text = this.#field.value;
    if (text.trim() === "") return;
    const asked = new URLSearchParams({ compare: [...this.#compared, text].join(",") });
    const next = comparedOf(asked, this.#symbol);
    if (this.#compared.length >= MOST_COMPARED) this.#say(`At most ${MOST_COMPARED} symbols: remove one first`);
    else if (next.length === this.#compared.length) this.#say(`${text.trim().slice(0, 30)} is no other symbol`);
    else {
      this.#say("");
      this.#field.value = "";
      for (const other of next) this.#refused.delete(other);
      this.#set(next);
    }
  }

  /** @param {readonly string[]} compared */
  #set(compared) {
    this.#compared = compared;
    writeQuery((address) => writeCompared(address, compared));
    this.show(new Map());
    this.#changed();
  }

  /** Offers the symbols that begin with what is typed. */
  async #complete() {
    const text = this.#field.value.trim();
    if (text === "") return;
    try {
      const answer = await ask(`symbols?q=${encodeURIComponent(text)}`);
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (this.#field.value.trim() !== text) return;
      this.#options.replaceChildren(
        ...[...page.querySelectorAll("[data-symbol]")].map((option) =>
          Object.assign(document.createElement("option"), { value: option.getAttribute("data-symbol") ?? "" }),
        ),
      );
    } catch {
      // A symbol can be typed without its completion.
    }
  }
}
