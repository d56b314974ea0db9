/**
 * The providers' current settings: from the environment, the settings page or the defaults, in this
 * order. Keys set on the page are stored encrypted and handed to nobody but the providers.
 */

import type { Config } from "../../config.ts";
import { type FieldError, Refusal } from "../../domain/errors.ts";
import type { Log } from "../../log.ts";
import type { ProviderEntry } from "../../providers/entry.ts";
import { listProviders } from "../../providers/registry.ts";
import type { ProviderSetting, SettingValues } from "../../providers/setting.ts";
import { record } from "../../storage/access/audit.ts";
import type { Database } from "../../storage/db.ts";
import type { Cipher } from "../../storage/encryption.ts";
import { openCipher, readSettings, saveSetting } from "../../storage/settings.ts";

/** Where a setting's value comes from. `unreadable`: stored, but encrypted with another BARKEEP_SECRET. */
export type SettingSource = "environment" | "page" | "default" | "unreadable" | "none";

/** A setting as pages may show it: never the value of a key. */
export interface SettingState extends ProviderSetting {
  readonly source: SettingSource;
  /** `null` for keys, and for what has no value. */
  readonly value: string | null;
  /** When it was last changed on the page, epoch milliseconds. */
  readonly changedAt: number | null;
  /** Whether the page can change it, and if not, why. */
  readonly locked: string | null;
}

/** A setting as readers below `admin` see it: not the folder or address that it was set to. */
export const withoutPlace = (state: SettingState): SettingState =>
  (state.kind === "folder" || state.kind === "url") && state.source !== "default" ? { ...state, value: null } : state;

interface Stored {
  /** `null` when it cannot be read. */
  readonly value: string | null;
  readonly changedAt: number;
}

const PREFIX = "provider:";

type ChangeListener = (entry: ProviderEntry, values: SettingValues) => Promise<void>;

export class ProviderSettings {
  readonly #stored = new Map<string, Stored>();
  #cipher: Cipher | null = null;
  #values: SettingValues = {};
  #listener: ChangeListener = async () => {};

  private constructor(
    private readonly db: Database,
    private readonly config: Config,
  ) {}

  /** Reads what was set on the page; keys encrypted with another secret are logged and count as not set. */
  static async open(db: Database, config: Config, log: Log): Promise<ProviderSettings> {
    const own = new ProviderSettings(db, config);
    if (config.secret !== undefined) own.#cipher = await openCipher(db, config.secret);
    const settings = new Map(
      listProviders(config.providerValues).flatMap((entry) => entry.settings.map((each) => [each.variable, each])),
    );
    for (const { key, value, updatedAt } of await readSettings(db, PREFIX)) {
      const variable = key.slice(PREFIX.length);
      const setting = settings.get(variable);
      if (setting === undefined) continue;
      const plain = setting.kind === "key" ? ((await own.#cipher?.open(variable, value)) ?? null) : value;
      if (plain === null) log.write("warn", `${variable} is stored, but cannot be read with this BARKEEP_SECRET`);
      own.#stored.set(variable, { value: plain, changedAt: updatedAt });
    }
    own.#resolve();
    return own;
  }

  /** Calls `listener` with the new values whenever a provider's settings have changed. */
  onChange(listener: ChangeListener): void {
    this.#listener = listener;
  }

  get values(): SettingValues {
    return this.#values;
  }

  /** Whether keys can be stored in the database. */
  get keepsKeys(): boolean {
    return this.#cipher !== null;
  }

  /** A provider's settings for pages. */
  describe(entry: ProviderEntry): SettingState[] {
    return entry.settings.map((setting) => {
      const stored = this.#stored.get(setting.variable);
      const source = this.#sourceOf(setting);
      const value = setting.kind === "key" || source === "none" ? null : (this.#values[setting.variable] ?? null);
      return { ...setting, source, value, changedAt: stored?.changedAt ?? null, locked: this.#lockOf(setting) };
    });
  }

  /**
   * The values that `change` would put into effect, which stores nothing.
   * @throws Refusal with one error per wrong field
   */
  preview(entry: ProviderEntry, changes: ReadonlyMap<string, string | null>): SettingValues {
    const changed = this.#checked(entry, changes).map(({ setting: { variable }, wanted }) => [
      variable,
      wanted ?? this.config.providerValues[variable],
    ]);
    return { ...this.#values, ...Object.fromEntries(changed) };
  }

  /**
   * Changes settings of one provider: text sets, `null` removes. All take effect together, from the next job on.
   * @throws Refusal with one error per wrong field; nothing is changed then
   */
  async change(entry: ProviderEntry, changes: ReadonlyMap<string, string | null>): Promise<void> {
    const { db } = this;
    const changed = this.#checked(entry, changes);
    const before = Object.fromEntries(changed.map(({ setting }) => [setting.variable, this.#auditValue(setting)]));
    for (const { setting, wanted } of changed) {
      const { variable, kind } = setting;
      const kept = wanted !== null && kind === "key" ? await this.#cipher!.close(variable, wanted) : wanted;
      await saveSetting(db, `${PREFIX}${variable}`, kept);
      if (wanted === null) this.#stored.delete(variable);
      else this.#stored.set(variable, { value: wanted, changedAt: Date.now() });
    }
    if (changed.length === 0) return;
    this.#resolve();
    const after = changed.map(({ setting, wanted }) => {
      const isNewKey = setting.kind === "key" && wanted !== null;
      return [setting.variable, isNewKey ? "new value" : this.#auditValue(setting)];
    });
    await record(db, { action: "settings.change", subject: entry.name, before, after: Object.fromEntries(after) });
    await this.#listener(entry, this.#values);
  }

  /**
   * The settings that `changes` alter, with the wanted values.
   * @throws Refusal with one error per wrong field
   */
  #checked(entry: ProviderEntry, changes: ReadonlyMap<string, string | null>) {
    const changed = entry.settings.flatMap((setting) => {
      const wanted = changes.get(setting.variable);
      return wanted === undefined || !this.#differs(setting, wanted) ? [] : [{ setting, wanted }];
    });
    const errors = changed.flatMap(({ setting, wanted }): FieldError[] => {
      const message = this.#lockOf(setting) ?? (wanted === null ? null : faultOf(setting, wanted));
      return message === null ? [] : [{ path: setting.variable, message }];
    });
    errors.push(...this.#keysGoElsewhere(entry, changes, changed));
    if (errors.length > 0) throw new Refusal("invalid", errors[0]!.message, errors);
    return changed;
  }

  /** A setting as the audit may record it: never a key, and only the host of a URL, which may contain one. */
  #auditValue({ variable, kind }: ProviderSetting): string {
    const value = this.#values[variable];
    if (value === undefined || value === "") return "not set";
    if (kind === "key") return "set";
    return kind === "url" ? new URL(value).host : value;
  }

  /** A key is write-only: pointing its provider to another server must not reveal it. */
  #keysGoElsewhere(
    entry: ProviderEntry,
    changes: ReadonlyMap<string, string | null>,
    changed: readonly { setting: ProviderSetting }[],
  ): FieldError[] {
    const url = changed.find(({ setting }) => setting.kind === "url")?.setting.variable;
    if (url === undefined) return [];
    return entry.settings.flatMap((setting) => {
      const source = this.#sourceOf(setting);
      if (setting.kind !== "key" || (source !== "environment" && source !== "page")) return [];
      if (source === "environment") {
        const message = `${setting.variable} comes from the environment: then ${url} must come from there too`;
        return [{ path: url, message }];
      }
      if (changes.has(setting.variable)) return [];
      const message = `Enter ${setting.variable} again: it is sent to the new base URL`;
      return [{ path: setting.variable, message }];
    });
  }

  #differs({ variable, kind }: ProviderSetting, wanted: string | null): boolean {
    if (wanted === null) return this.#stored.has(variable);
    return kind === "key" || wanted !== this.#values[variable];
  }

  #sourceOf({ variable, default: fallback }: ProviderSetting): SettingSource {
    if (this.config.providerVariablesSet.includes(variable)) return "environment";
    const stored = this.#stored.get(variable);
    if (stored) return stored.value === null ? "unreadable" : "page";
    return fallback === undefined ? "none" : "default";
  }

  #lockOf({ variable, kind }: ProviderSetting): string | null {
    if (this.config.providerVariablesSet.includes(variable)) return "Set in the environment; change it there";
    if (kind === "folder") return "Folders of the server can be named only in its environment";
    if (kind === "key" && this.#cipher === null)
      return "Set it in the environment, or set BARKEEP_SECRET to keep keys here";
    return null;
  }

  #resolve(): void {
    const { providerValues, providerVariablesSet } = this.config;
    const values: Record<string, string | undefined> = { ...providerValues };
    for (const [variable, { value }] of this.#stored) {
      if (value !== null && !providerVariablesSet.includes(variable)) values[variable] = value;
    }
    this.#values = values;
  }
}

/** What is wrong with a value, without repeating it. */
function faultOf({ kind, label, options = [] }: ProviderSetting, value: string): string | null {
  switch (kind) {
    case "key":
      return /^[\x21-\x7e]{1,500}$/.test(value) ? null : `${label}: wants up to 500 characters without spaces`;
    case "url": {
      const url = URL.canParse(value) ? new URL(value) : null;
      if (url === null || !/^https?:$/.test(url.protocol)) return `${label}: wants an http:// or https:// URL`;
      return url.username || url.password || url.search ? `${label}: wants a URL without a user, key or query` : null;
    }
    case "milliseconds":
      return isWhole(value, 0, 60_000) ? null : `${label}: wants a whole number from 0 to 60000`;
    case "count":
      return isWhole(value, 1, 1_000_000_000) ? null : `${label}: wants a whole number from 1 to 1000000000`;
    case "choice":
      return options.includes(value) ? null : `${label}: wants one of ${options.join(", ")}`;
    case "folder":
      return null;
  }
}

const isWhole = (text: string, min: number, max: number) =>
  /^\d{1,10}$/.test(text) && Number(text) >= min && Number(text) <= max;
