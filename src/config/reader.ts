/** Reads single variables of the environment and collects what is wrong with them. */

export type Env = Readonly<Record<string, string | undefined>>;

/** One wrong setting: the variable, its value (never a secret) and what is expected. */
export interface ConfigFault {
  readonly variable: string;
  readonly value: string;
  readonly wants: string;
}

export class ConfigError extends Error {
  override readonly name = "ConfigError";
  constructor(readonly faults: readonly ConfigFault[]) {
    super(
      [
        "Barkeep cannot start: wrong settings.",
        ...faults.map((fault) => `  ${fault.variable} is ${JSON.stringify(fault.value)}: wants ${fault.wants}`),
        "Set them in the environment or in .env; .env.example lists them all.",
      ].join("\n"),
    );
  }
}

/** Reads one variable; an empty one counts as not set. */
export class Reader {
  readonly faults: ConfigFault[] = [];
  constructor(private readonly env: Env) {}

  text(variable: string): string | undefined {
    const value = this.env[variable]?.trim();
    return value === "" ? undefined : value;
  }

  /** The fault of a secret is reported without the secret. */
  secret(variable: string, minLength: number): string | undefined {
    const value = this.text(variable);
    // One of blanks alone was meant to be one.
    if (value === undefined ? this.env[variable] : value.length < minLength) {
      const characters = `${value?.length ?? 0} characters`;
      this.faults.push({ variable, value: characters, wants: `at least ${minLength} characters` });
    }
    return value;
  }

  integer(variable: string, fallback: number, min: number, max: number): number {
    const value = this.text(variable);
    if (value === undefined) return fallback;
    const number = Number(value);
    if (/^\d+$/.test(value) && number >= min && number <= max) return number;
    this.faults.push({ variable, value, wants: `a whole number from ${min} to ${max}` });
    return fallback;
  }

  /** @param rename the present name of a choice that had another one */
  choice<T extends string>(variable: string, fallback: T, choices: readonly T[], rename = (value: string) => value): T {
    const value = this.text(variable);
    if (value === undefined) return fallback;
    const found = choices.find((choice) => choice === rename(value));
    if (found === undefined) this.faults.push({ variable, value, wants: `one of ${choices.join(", ")}` });
    return found ?? fallback;
  }

  matching(variable: string, fallback: string, pattern: RegExp, wants: string): string {
    const value = this.text(variable);
    if (value === undefined || pattern.test(value)) return value ?? fallback;
    this.faults.push({ variable, value: withoutCredentials(value), wants });
    return fallback;
  }
}

/** A URL as it may be printed: without its password or token. */
export function withoutCredentials(url: string): string {
  return url
    .replace(/\/\/[^/@]*@/, "//***@")
    .replace(/([?&][^=&]*(?:token|key|secret|password)[^=&]*=)[^&]*/gi, "$1***");
}

export const isWebUrl = /^https?:\/\/[^\s?#]+$/;

/** Whether user and password of a URL can be read. */
export function isDecodable({ username, password }: URL): boolean {
  try {
    decodeURIComponent(username + password);
    return true;
  } catch {
    return false;
  }
}
