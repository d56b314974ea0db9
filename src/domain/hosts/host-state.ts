/** The states of the hosts that do jobs: the server itself, and the workers on other machines. */

/** `lost`: a worker that has ended, or cannot be reached, without having said so. */
export const HOST_STATES = ["working", "draining", "silent", "lost"] as const;
export type HostState = (typeof HOST_STATES)[number];

/** After how long without a sign of life a worker is shown as silent, milliseconds. A sign comes every five seconds. */
const SILENT_MS = 12_000;

/** The state of a worker that has not been given up. */
export function hostState(host: { readonly lastSeen: number; readonly isDraining: boolean }, now: number): HostState {
  if (now - host.lastSeen > SILENT_MS) return "silent";
  return host.isDraining ? "draining" : "working";
}
