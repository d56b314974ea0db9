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

/** What all panels show at a moment. */
export interface ShownPanels {
  readonly quota: readonly QuotaView[];
  readonly lastHour: LastHourView | null;
  readonly promises: readonly PanelPromise[];
  /** The number of the last change of any of them. */
  readonly change: number;
  /** All that they show. */
  readonly text: string;
}

export const NO_PANELS: Readonly<Record<PanelName, boolean>> = { quota: false, lastHour: false, promises: false };

interface Shown {
  /** What the panel shows. */
  text: string;
  /** The change that made it so. */
  change: number;
}

export class Panels {
  readonly #shown: Readonly<Record<PanelName, Shown>> = {
    quota: { text: "[]", change: 0 },
    lastHour: { text: "null", change: 0 },
    promises: { text: "[]", change: 0 },
  };
  /** The last change of each panel that was sent to the connections. */
  readonly #sent: Record<PanelName, number> = { quota: 0, lastHour: 0, promises: 0 };
  /** The number of the last change of any panel. */
  #change = 0;

  constructor(readonly read: PanelReaders) {}

  /** Whether a panel shows something else than was sent to the connections; it then counts as sent. */
  hasChanged(panel: PanelName): boolean {
    const { change } = this.#look(panel);
    const isNew = change > this.#sent[panel];
    this.#sent[panel] = change;
    return isNew;
  }

  /** What all panels show now, read once. */
  now(): ShownPanels {
    const { read } = this;
    const values = { quota: read.quota(), lastHour: read.lastHour(), promises: read.promises() };
    const text = PANELS.map((panel) => this.#note(panel, JSON.stringify(values[panel])).text).join("\n");
    return { ...values, change: this.#change, text };
  }

  /** The number of a change up to which the connections have been sent all. */
  get sent(): number {
    const unsent = PANELS.filter((panel) => this.#shown[panel].change > this.#sent[panel]);
    return Math.min(this.#change, ...unsent.map((panel) => this.#shown[panel].change - 1));
  }

  /** Which panels have changed for a page that shows them as they were after change number `since`. */
  changedSince(since: number): Record<PanelName, boolean> {
    const hasChanged = (panel: PanelName) => this.#look(panel).change > since;
    return { quota: hasChanged("quota"), lastHour: hasChanged("lastHour"), promises: hasChanged("promises") };
  }

  /** What a panel shows now. */
  #look(panel: PanelName): Shown {
    return this.#note(panel, JSON.stringify(this.read[panel]()));
  }

  #note(panel: PanelName, text: string): Shown {
    const shown = this.#shown[panel];
    if (text === shown.text) return shown;
    this.#change += 1;
    shown.text = text;
    shown.change = this.#change;
    return shown;
  }

  /** The markup of those panels that an update has. */
  render(update: Readonly<Record<PanelName, boolean>>): string[] {
    return PANELS.filter((panel) => update[panel]).map((panel) => {
      if (panel === "quota") return liveQuota(this.read.quota(), Date.now());
      return panel === "lastHour" ? liveLastHour(this.read.lastHour()) : livePromises(this.read.promises());
    });
  }
}
