// Whether the reader wants notifications, and of which kinds none. It is kept in this browser.

/** The key in the browser's storage. */
export const CHOICE = "barkeep-notifications";

/** @typedef {{ on: boolean, without: readonly string[] }} Choice */

/** What the reader has decided; `null` if nothing yet, or if the browser keeps nothing. @returns {Choice | null} */
export function readChoice() {
  try {
    const kept = JSON.parse(localStorage.getItem(CHOICE) ?? "null");
    // Another version, or somebody by hand, may have kept something else there.
    if (typeof kept?.on !== "boolean") return null;
    return { on: kept.on, without: Array.isArray(kept.without) ? kept.without : [] };
  } catch {
    return null;
  }
}

/** @param {Choice} choice */
export function saveChoice(choice) {
  try {
    localStorage.setItem(CHOICE, JSON.stringify(choice));
  } catch {
    // A browser that keeps nothing for this site forgets it with the page.
  }
}
