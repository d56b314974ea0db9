/** Redacts secrets in texts: a key leaves the process only in requests to its vendor. */

/** Keys that vendors publish for trials: redacting such a word would only damage texts. */
const PUBLIC = new Set(["demo"]);

/** A function that redacts the given secrets in any text: as they are, URL-encoded and in Base64, in any case. */
export function redactor(secrets: readonly (string | undefined)[]): (text: string) => string {
  const known = secrets.filter((secret): secret is string => !!secret && !PUBLIC.has(secret));
  const forms = new Set(
    known.flatMap((secret) => [secret, encodeURIComponent(secret), btoa(unescape(encodeURIComponent(secret)))]),
  );
  // Longest first: of a secret that begins with another one, the rest would remain.
  const sorted = [...forms].sort((a, b) => b.length - a.length);
  const exact = (text: string) => sorted.reduce((result, form) => result.replaceAll(form, "***"), text);
  const variants = sorted.filter(({ length }) => length >= MIN_VARIANT).map((form) => ({ bare: bareOf(form), form }));
  return (text) => {
    const result = exact(text);
    const bare = bareOf(result);
    const found = variants.filter((each) => bare.includes(each.bare));
    return found.reduce((rest, { form }) => rest.replace(variantOf(form), "***"), result);
  };
}

/** Shorter secrets are redacted as they are: with spaces between, they would be found in any text. */
const MIN_VARIANT = 8;

const SPACES = /[\s\u200b]+/g;
const bareOf = (text: string) => text.replace(SPACES, "").toLowerCase();

/** A secret in any case and with spaces between its characters: some vendors repeat a key like this. */
const variantOf = (form: string) =>
  new RegExp([...form.replace(SPACES, "")].map((each) => RegExp.escape(each)).join("[\\s\\u200b]*"), "gi");

/**
 * Redacts every secret that was ever added: a replaced one may still occur in work under way.
 * `redact` may be passed on before the secrets are known.
 */
export class Redactor {
  readonly #secrets = new Set<string | undefined>();
  #replace = (text: string) => text;

  add(secrets: readonly (string | undefined)[]): void {
    for (const secret of secrets) this.#secrets.add(secret);
    this.#replace = redactor([...this.#secrets]);
  }

  readonly redact = (text: string): string => this.#replace(text);
}
