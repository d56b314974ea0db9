/** The states of the hosts that do jobs: the server itself, and the workers on other machines. */

/** `lost`: a worker that has ended, or cannot be reached, without having said so. */
export const HOST_STATES = ["working", "draining", "silent", "lost"] as const;
export type HostState = (typeof HOST_STATES)[number];

/**
 * Whether a worker reaches the job queue, from which it takes its jobs. While it is down, and with `other`, another queue than
 * that of the server, the server hands them to it.
 */
export const QUEUE_STATES = ["up", "down", "other"] as const;
export type QueueState = (typeof QUEUE_STATES)[number];

/** The state of a worker that has not been given up. */
export function hostState(host: { readonly isSilent: boolean; readonly isDraining: boolean }): HostState {
  if (host.isSilent) return "silent";
  return host.isDraining ? "draining" : "working";
}
