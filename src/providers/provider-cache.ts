import type { Calendar } from "../domain/market/calendar.ts";
import { missingSettings } from "./entry.ts";
import type { Provider } from "./provider.ts";
import { createProvider, findProvider } from "./registry.ts";
import type { SettingValues } from "./setting.ts";

/** Finds providers by name and builds each once; a provider with missing variables counts as unknown. */
export class ProviderCache {
  readonly #built = new Map<string, Provider>();
  constructor(
    private readonly settings: () => SettingValues,
    private readonly calendar: Calendar,
  ) {}

  find(name: string): Provider | undefined {
    const values = this.settings();
    const entry = findProvider(name);
    if (entry === undefined || missingSettings(entry, values).length > 0) return undefined;
    const provider = this.#built.get(entry.name) ?? createProvider(entry.name, values, this.calendar);
    this.#built.set(entry.name, provider);
    return provider;
  }

  /** Drops a provider whose settings changed; the next `find` builds it again. */
  forget(name: string): void {
    this.#built.delete(name);
  }
}
