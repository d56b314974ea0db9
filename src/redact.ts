/** Keys never leave the process except to their vendor. */

/** Keys that vendors publish for trying out; hiding them would only mangle the word. */
const PUBLIC = new Set(["demo"]);

/** A function that blots the given secrets out of any text, as they are and as they look in URLs. */
export function redactor(secrets: readonly (string | undefined)[]): (text: string) => string {
  const known = secrets.filter((secret): secret is string => !!secret && !PUBLIC.has(secret));
  const forms = new Set(
    known.flatMap((secret) => [secret, encodeURIComponent(secret), btoa(unescape(encodeURIComponent(secret)))]),
  );
  // Longest first, so that a key that begins with another one leaves no tail.
  const sorted = [...forms].sort((a, b) => b.length - a.length);
  return (text) => sorted.reduce((result, form) => result.replaceAll(form, "***"), text);
}

/**
 * Redacts every secret it was ever given: a replaced one may still occur in work under way.
 * Its `redact` may be handed out before the secrets are known.
 */
export class Redactor {
  readonly #secrets = new Set<string | undefined>();
  #blot = (text: string) => text;

  learn(secrets: readonly (string | undefined)[]): void {
    for (const secret of secrets) this.#secrets.add(secret);
    this.#blot = redactor([...this.#secrets]);
  }

  readonly redact = (text: string): string => this.#blot(text);
}
