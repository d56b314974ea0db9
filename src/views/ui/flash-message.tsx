/** @jsxImportSource hono/jsx */
/** What came of the last action on a page, above what it concerns; its sibling in the corner is `Toast`. */

import { Icon } from "./components.tsx";

export interface Flash {
  readonly level: "info" | "error";
  readonly text: string;
}

/** Nothing without a `flash`. An error interrupts a screen reader, anything else waits until it is silent. */
export const FlashMessage = ({ flash }: { flash: Flash | null }) =>
  flash === null ? null : (
    <p class={`said said-${flash.level}`} role={flash.level === "error" ? "alert" : "status"}>
      <Icon name={flash.level === "error" ? "failed" : "complete"} />
      {flash.text}
    </p>
  );
