/** The errors of a refusal, by the fields of a form. */

import { invalid, type Refusal } from "../domain/errors.ts";
import { MISSING, unknownFields } from "../schemas.ts";

/**
 * Refuses a form with a field that there is not, as the API does: the value of a mistyped one would be lost, and its default
 * taken. A `reason` belongs to every change.
 */
export function requireKnownFields(sent: Readonly<Record<string, unknown>>, fields: readonly string[]): void {
  const unknown = Object.keys(sent).filter((name) => name !== "reason" && !fields.includes(name));
  if (unknown.length === 0) return;
  throw invalid("", `${unknownFields(unknown)}; there are ${fields.join(", ")}`);
}

/** Errors of one field that are shown in full; more are only counted. */
const SHOWN_ERRORS = 3;

/** The errors of a refusal as sentences by field; errors of no field in `fields` go to `form`. */
export function errorSentences<F extends string>(
  refusal: Refusal,
  fields: readonly F[],
): Partial<Record<F | "form", string>> {
  const fieldOf = (name: string): F | "form" => fields.find((field) => field === name) ?? "form";
  const byField = Map.groupBy(refusal.errors, ({ path }) => fieldOf(path.split(".")[0]!));
  if (byField.size === 0) byField.set("form", [{ path: "", message: refusal.message }]);
  const sentences = [...byField].map(([field, errors]) => {
    const shown = errors.slice(0, SHOWN_ERRORS).map(({ message }) =>
      // Beside its field, "Is missing." is no sentence.
      field !== "form" && message === MISSING ? "Fill this in." : sentence(message),
    );
    const more = errors.length - shown.length;
    return [field, [...shown, ...(more > 0 ? [`And ${more} more.`] : [])].join(" ")];
  });
  return Object.fromEntries(sentences);
}

/** The messages unchanged, by field; the last one if a field has several. */
export const errorsByField = ({ errors }: Refusal): Record<string, string> =>
  Object.fromEntries(errors.map(({ path, message }) => [path, message]));

export const capitalised = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}`;

const sentence = (text: string) => `${capitalised(text)}${text.endsWith(".") ? "" : "."}`;
