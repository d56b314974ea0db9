/** The exit codes of all commands; `partly`: some symbols failed and others are complete. */
export const EXIT = { done: 0, failed: 1, usage: 2, partly: 3 } as const;
