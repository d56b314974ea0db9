/** One round of each kind of disturbance. Each starts a server and leaves none. */

import type { World } from "./world.ts";

export interface Round {
  readonly world: World;
  /** A number from 0 to 1, the same for the same seed and round. */
  readonly random: () => number;
}

/** One life in six ends while the server starts. */
const STARTING = 1 / 6;
const START_MS = 400;
const WORK_MS = 1_300;

/** The server is killed at a random moment: while it starts, or while it works. */
async function kill({ world, random }: Round): Promise<string> {
  const server = world.spawn();
  const isStarting = random() < STARTING;
  const after = random() * (isStarting ? START_MS : WORK_MS);
  if (isStarting) server.listening.catch(() => {});
  else await server.listening;
  await Bun.sleep(after);
  await server.kill();
  return `killed ${Math.round(after)} ms after ${isStarting ? "its start" : "it listened"}`;
}

/** Each returns what it did, in words. */
export const ROUNDS: Readonly<Record<string, (round: Round) => Promise<string>>> = { kill };
