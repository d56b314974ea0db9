/** @jsxImportSource hono/jsx */
/** What the forms of schedules and promises have in common: which symbols, in which time zone, and whether enabled. */

import { listSymbols } from "../../../domain/market/symbol.ts";
import { plural } from "../format.ts";
import type { FormState, formFields } from "./form-field.tsx";

export type SelectionField = "time_zone" | "scope" | "symbols" | "watchlist_id" | "enabled";
type Scope = "symbols" | "watchlist" | "stored";

/** What such a form offers. */
export interface SelectionOptions {
  readonly watchlists: readonly { readonly id: number; readonly name: string; readonly symbols: number }[];
  readonly timeZones: readonly string[];
}

const SCOPE_TITLES: Readonly<Record<Scope, string>> = {
  symbols: "The symbols below",
  watchlist: "A watchlist",
  stored: "All stored, by interval and provider",
};

/** The components of a form that has these fields among others. */
export function selectionFields<Name extends string>(
  { Field, Choice, control }: ReturnType<typeof formFields<Name | SelectionField>>,
  words: { readonly scope: string; readonly noWatchlist: string; readonly chooseWatchlist: string },
) {
  interface Props {
    readonly form: FormState<Name | SelectionField> & SelectionOptions;
  }

  const TimeZoneField = ({ form }: Props) => (
    <Field name="time_zone" title="Time zone" form={form}>
      <input
        {...control("time_zone", form)}
        value={form.values.time_zone}
        list="time-zones"
        autocomplete="off"
        spellcheck={false}
      />
      <datalist id="time-zones">
        {form.timeZones.map((zone) => (
          <option value={zone} />
        ))}
      </datalist>
    </Field>
  );

  const SymbolFields = ({ form }: Props) => (
    <>
      <Field name="scope" title={words.scope} form={form}>
        <Choice name="scope" form={form} options={Object.entries(SCOPE_TITLES)} />
      </Field>
      <Field name="symbols" title="Symbols" form={form}>
        <textarea
          {...control("symbols", form)}
          rows={2}
          placeholder="AAPL, MSFT, GOOGL"
          autocomplete="off"
          autocapitalize="characters"
          spellcheck={false}
        >
          {form.values.symbols}
        </textarea>
      </Field>
      <Field name="watchlist_id" title="Watchlist" form={form}>
        <Choice
          name="watchlist_id"
          form={form}
          options={[
            ["", form.watchlists.length === 0 ? words.noWatchlist : words.chooseWatchlist],
            ...form.watchlists.map(
              ({ id, name, symbols }) => [String(id), `${name} (${plural(symbols, "symbol")})`] as const,
            ),
          ]}
        />
      </Field>
    </>
  );

  const EnabledField = ({ form }: Props) => (
    <p class="field check">
      <label>
        <input type="checkbox" name="enabled" value="on" checked={form.values.enabled === "on" || undefined} /> Enabled
      </label>
    </p>
  );

  return { TimeZoneField, SymbolFields, EnabledField };
}

/** The error of no field of a form. */
export const FormError = ({ form }: { form: FormState<string> }) =>
  form.errors.form ? (
    <p class="error" role="alert">
      {form.errors.form}
    </p>
  ) : null;

/** Symbols that are named; more are only counted. */
const NAMED = 8;

/** Which symbols a selection has, in words; `watchlist` is the name of its watchlist, if that is still there. */
export function selectionText(selection: {
  readonly scope: Scope;
  readonly symbols: readonly string[];
  readonly watchlist: string | null;
}): string {
  const { scope, symbols, watchlist } = selection;
  if (scope === "stored") return "everything stored";
  if (scope === "symbols") return listSymbols(symbols, NAMED);
  return watchlist ? `the watchlist ${watchlist}` : "a watchlist that was deleted";
}
