/** `barkeep worker`: does jobs of a server on another machine until it gets a signal to end. */

import { messageOf } from "../../domain/errors.ts";
import { versionOf, versionText } from "../../installation.ts";
import { EXIT } from "../exit-codes.ts";
import { onStopSignals } from "../stop-signals.ts";
import { readOptions, type WorkerOptions, WrongOption } from "./options.ts";
import { WorkerHost } from "./worker-host.ts";

/** Works until the process gets a signal to end, or the server refuses the worker. */
export async function workerCommand(options: WorkerOptions): Promise<number> {
  const print = (line: string) => console.error(`${new Date().toISOString()} ${line}`);
  try {
    const host = new WorkerHost({
      ...readOptions(options),
      version: versionText(versionOf(process.env.BARKEEP_COMMIT)),
      print,
    });
    onStopSignals((signal) => {
      print(`${signal}: finishing the current batches, then giving the jobs back`);
      void host.leave();
    });
    await host.run();
    // Its threads have nothing more to do.
    process.exit(EXIT.done);
  } catch (error) {
    console.error(messageOf(error));
    process.exit(error instanceof WrongOption ? EXIT.usage : EXIT.failed);
  }
}
