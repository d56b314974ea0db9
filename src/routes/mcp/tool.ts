/** What a tool is, and how its answers are written. */

import type { z } from "zod";
import type { Actor } from "../../domain/access.ts";
import type { OwnApi } from "./own-api.ts";

/** Who called a tool. */
export interface Caller {
  readonly actor: Actor;
  readonly api: OwnApi;
}

export interface ToolAnswer {
  /** One sentence that says what was found, and what was cut. */
  readonly summary: string;
  readonly [field: string]: unknown;
}

export interface Tool {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly input: z.ZodObject;
  /** Whether it may change what is stored. */
  readonly changes: boolean;
  /** @param input as parsed by `input` */
  run(input: unknown, caller: Caller): Promise<ToolAnswer>;
}

/** A tool whose `run` gets what its schema parses. */
export function tool<const S extends z.ZodObject>(
  definition: Omit<Tool, "input" | "run" | "changes"> & {
    readonly input: S;
    readonly changes?: boolean;
    run(input: z.infer<S>, caller: Caller): Promise<ToolAnswer>;
  },
): Tool {
  const { run } = definition;
  return { changes: false, ...definition, run: (input, caller) => run(input as z.infer<S>, caller) };
}

/** A refusal that carries an answer, such as the cost of a run that was not confirmed. */
export class Unconfirmed extends Error {
  override readonly name = "Unconfirmed";
  constructor(readonly answer: ToolAnswer) {
    super(answer.summary);
  }
}
