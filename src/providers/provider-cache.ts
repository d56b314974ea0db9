import type { Calendar } from "../domain/market/calendar.ts";
import { missingSettings } from "./entry.ts";
import type { Provider } from "./provider.ts";
import { createProvider, findProvider } from "./registry.ts";
import type { SettingValues } from "./setting.ts";

/** Looks providers up by name, each built once; one whose variables are missing counts as unknown. */
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
    const provider = this.#built.get(name) ?? createProvider(name, values, this.calendar);
    this.#built.set(name, provider);
    return provider;
  }

  /** Its settings changed: it is built anew when it is wanted next. */
  forget(name: string): void {
    this.#built.delete(name);
  }
}
