/** @jsxImportSource hono/jsx */
/** Shows what leads to a request only to those who may send it. */

import { type Child, createContext, useContext } from "hono/jsx";
import { maySend, type Scope } from "../../../domain/access.ts";

/** The scope of a page's reader, which `Layout` provides. */
export const ReaderScope = createContext<Scope>("read");

/** Whether the reader may send a form to `address`; for components within `Layout`. */
export const useMayPost = (address: string): boolean => maySend(useContext(ReaderScope), "POST", address);

/** Its children for those who may send `method` (a form) to `address`, and `otherwise` for the others. */
export const Allowed = (props: { address: string; method?: "GET" | "POST"; otherwise?: Child; children?: Child }) => (
  <>
    {maySend(useContext(ReaderScope), props.method ?? "POST", props.address)
      ? props.children
      : (props.otherwise ?? null)}
  </>
);
