/** What the message of a frame holds. */

/** The ids of its parts in their order. */
export const partials = (data: string) => [...data.matchAll(/<hx-partial id="([^"]+)"/g)].map(([, id]) => id);

/** The cards of a strip in their order; the one of the open run is marked. */
export const cards = (data: string) =>
  [...data.matchAll(/<a id="(card-[^"]+)"[^>]*>/g)].map(
    ([tag, id]) => `${id}${tag.includes("aria-current") ? " open" : ""}`,
  );
