/** The panels beside the rows of the monitor: each is sent again when what it shows has changed. */

import { liveLastHour, livePromises, liveQuota } from "../../views/live.tsx";
import type { PanelPromise } from "../../views/promises/promise-panel.tsx";
import type { LastHourView } from "../../views/quotas/last-hour.tsx";
import type { QuotaView } from "../../views/quotas/quota-gauges.tsx";

/** What the panels show, as it is now. */
export interface PanelReaders {
  quota(): readonly QuotaView[];
  /** `null` when there was no work in it. */
  lastHour(): LastHourView | null;
  promises(): readonly PanelPromise[];
}
export type PanelName = keyof PanelReaders;
export const PANELS: readonly PanelName[] = ["promises", "quota", "lastHour"];

export class Panels {
  readonly #shown: Record<PanelName, string> = { quota: "[]", lastHour: "null", promises: "[]" };

  constructor(readonly read: PanelReaders) {}

  /** Whether a panel shows something else than at the last call. */
  hasChanged(panel: PanelName): boolean {
    const present = JSON.stringify(this.read[panel]());
    if (present === this.#shown[panel]) return false;
    this.#shown[panel] = present;
    return true;
  }

  /** Which panels a page needs that may have an older one; those that were empty are on it already. */
  filled(isMonitor: boolean): Record<PanelName, boolean> {
    return {
      quota: isMonitor && this.read.quota().length > 0,
      lastHour: isMonitor && this.read.lastHour() !== null,
      promises: isMonitor && this.read.promises().length > 0,
    };
  }

  /** The markup of those panels that an update has. */
  render(update: Readonly<Record<PanelName, boolean>>): string[] {
    return PANELS.filter((panel) => update[panel]).map((panel) => {
      if (panel === "quota") return liveQuota(this.read.quota(), Date.now());
      return panel === "lastHour" ? liveLastHour(this.read.lastHour()) : livePromises(this.read.promises());
    });
  }
}
