/** The environment variables that providers declare; configuration, README and settings page are made from them. */

export interface ProviderSetting {
  readonly variable: string;
  /** `key` is a secret: write-only on the screen, never printed. */
  readonly kind: "key" | "url" | "folder" | "milliseconds" | "count";
  /** What it is, in a few words. */
  readonly label: string;
  readonly default?: string;
  /** Whether the provider is of no use without it. */
  readonly required?: boolean;
}

/** The values of the providers' variables, already read and checked. */
export type SettingValues = Readonly<Record<string, string | undefined>>;
