/** What scripts find: htmx with its stream extension, the events that are missing in its types, and a text of the build. */

import type { Htmx } from "htmx.org";

/** One connection of the extension; `reader` is `null` between two connections. */
export interface SseConnection {
  readonly reader: ReadableStreamDefaultReader<Uint8Array> | null;
}

/** A message of the stream. `event` is empty where it carries HTML to swap in; `data` may be changed before that. */
interface SseMessage {
  data: string;
  readonly event: string;
}

interface SseEvents {
  "htmx:sse:before:connection": CustomEvent<{ connection: SseConnection }>;
  "htmx:sse:after:connection": CustomEvent<{ connection: SseConnection }>;
  "htmx:sse:before:message": CustomEvent<{ connection: SseConnection; message: SseMessage }>;
  "htmx:sse:after:message": CustomEvent<{ connection: SseConnection; message: SseMessage }>;
  "htmx:sse:error": CustomEvent<{ connection: SseConnection; status?: number }>;
  /** The named events of src/views/live.tsx. */
  heartbeat: CustomEvent<{ data: string }>;
  rows: CustomEvent<{ data: string }>;
  sections: CustomEvent<{ data: string }>;
}

declare global {
  /** HTML of `src/views/script-parts.tsx`, which the build puts in its place. */
  const SCRIPT_PARTS: string;
  interface Window {
    /** Absent where its file could not be loaded. */
    readonly htmx?: Htmx;
  }
  interface HTMLElementEventMap extends SseEvents {}
}
