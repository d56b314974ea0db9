/** Redacts secrets in texts: a key leaves the process only in requests to its vendor. */

/** Keys that vendors publish for trials: redacting such a word would only damage texts. */
const PUBLIC = new Set(["demo"]);

/**
 * A function that redacts the given secrets in any text: as they are, in Base64 (also within a longer text, as in
 * `Basic`), and escaped as in URLs, HTML and JSON; in any case. Texts are cut after it, never before.
 */
export function redactor(secrets: readonly (string | undefined)[]): (text: string) => string {
  const known = secrets.filter((secret): secret is string => !!secret && !PUBLIC.has(secret));
  const forms = new Set(known.flatMap((secret) => [secret, encodeURIComponent(secret), base64Of(secret)]));
  // Longest first: of a secret that begins with another one, the rest would remain.
  const sorted = longestFirst(forms);
  const exact = (text: string) => sorted.reduce((result, form) => result.replaceAll(form, "***"), text);
  const long = longestFirst(known.filter(({ length }) => length >= MIN_VARIANT));
  const variants = longestFirst([...long, ...long.flatMap(base64Parts)]).map((form) => ({
    bare: bareOf(form),
    pattern: patternOf(form, literalOf),
  }));
  const escaped = long.map((secret) => patternOf(secret, escapedOf));
  return (text) => {
    let result = exact(text);
    if (ESCAPE.test(result)) for (const pattern of escaped) result = result.replace(pattern, "***");
    const bare = bareOf(result);
    const found = variants.filter((each) => bare.includes(each.bare));
    return found.reduce((rest, { pattern }) => rest.replace(pattern, "***"), result);
  };
}

/** Shorter secrets are redacted as they are: with spaces between, they would be found in any text. */
const MIN_VARIANT = 8;

const SPACES = /[\s\u200b]+/g;
/** What every escaped character begins with. A space may be a plus too. */
const ESCAPE = /[%&\\+]/;
const SPACE = "(?:[\\s\\u200b+]|%(?:25){0,3}20|&(?:amp;){0,3}#(?:0{0,6}32|x0{0,6}20);)";
const NAMED: Readonly<Record<string, string>> = { "&": "amp", "<": "lt", ">": "gt", '"': "quot", "'": "apos" };

const longestFirst = (texts: Iterable<string>) => [...new Set(texts)].sort((a, b) => b.length - a.length);
const bareOf = (text: string) => text.replace(SPACES, "").toLowerCase();
const base64Of = (secret: string) => Buffer.from(secret).toString("base64");

/** What Base64, of both alphabets, has of a secret for certain, wherever in the encoded text it begins. */
function base64Parts(secret: string): string[] {
  const bytes = Buffer.from(secret);
  return [0, 1, 2].flatMap((shift) => {
    const encoded = Buffer.concat([Buffer.alloc(shift), bytes]).toString("base64");
    const whole = Math.floor(((shift + bytes.length) * 8) / 6);
    const part = encoded.slice(Math.ceil((shift * 8) / 6), whole);
    return [part, part.replaceAll("+", "-").replaceAll("/", "_")];
  });
}

/** A secret in any case and with spaces between its characters: some vendors repeat a key like this. */
function patternOf(form: string, formsOf: (each: string) => string): RegExp {
  const words = form.split(SPACES).filter((word) => word !== "");
  return new RegExp(words.map((word) => [...word].map(formsOf).join("[\\s\\u200b]*")).join(`${SPACE}*`), "gi");
}

const literalOf = (each: string) => RegExp.escape(each);

/** A character as it is or as URLs, HTML and JSON write it, escaped up to four times over. */
function escapedOf(each: string): string {
  const hex = (code: number) => code.toString(16).padStart(2, "0");
  const forms = [
    RegExp.escape(each),
    [...Buffer.from(each)].map((byte) => `%(?:25){0,3}${hex(byte)}`).join(""),
    `&(?:amp;){0,3}#(?:0{0,6}${each.codePointAt(0)}|x0{0,6}${each.codePointAt(0)!.toString(16)});`,
    ...(NAMED[each] === undefined ? [] : [`&(?:amp;){0,3}${NAMED[each]};`]),
    each
      .split("")
      .map((unit) => `\\\\{1,4}u${hex(unit.charCodeAt(0)).padStart(4, "0")}`)
      .join(""),
    ...(/["\\/]/.test(each) ? [`\\\\{1,4}${RegExp.escape(each)}`] : []),
  ];
  return `(?:${forms.join("|")})`;
}

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
