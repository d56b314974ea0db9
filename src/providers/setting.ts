/** The environment variables that providers declare. */

export type { ProviderSetting } from "../config.ts";

/** The values of the providers' variables, already read and checked. */
export type SettingValues = Readonly<Record<string, string | undefined>>;
