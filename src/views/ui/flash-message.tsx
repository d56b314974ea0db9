/** @jsxImportSource hono/jsx */
/** The result of a form, shown on its page; a message in the corner of any page is a `Toast`. */

import { Icon } from "./components.tsx";

export interface Flash {
  readonly level: "info" | "error";
  readonly text: string;
}

/** Empty without a `flash`. An error interrupts a screen reader, other messages do not. */
export const FlashMessage = ({ flash }: { flash: Flash | null }) =>
  flash === null ? null : (
    <p class={`said said-${flash.level}`} role={flash.level === "error" ? "alert" : "status"}>
      <Icon name={flash.level === "error" ? "failed" : "complete"} />
      {flash.text}
    </p>
  );
