/** The environment variables that providers declare, read by the configuration and shown on the settings page. */

export interface ProviderSetting {
  readonly variable: string;
  /** `key` is a secret: write-only on the page, never printed. */
  readonly kind: "key" | "url" | "folder" | "milliseconds" | "count" | "choice";
  /** What it is, in a few words. */
  readonly label: string;
  readonly default?: string;
  /** The values of a `choice`. */
  readonly options?: readonly string[];
  /** Whether the provider cannot be used without it. */
  readonly required?: boolean;
  /** The only value with which the provider can be used: a switch. */
  readonly wants?: string;
}

/** The values of the providers' variables, already read and checked. */
export type SettingValues = Readonly<Record<string, string | undefined>>;
