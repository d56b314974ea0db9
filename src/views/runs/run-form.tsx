/** @jsxImportSource hono/jsx */
/** The form that starts a run. It keeps what was typed and shows errors at their fields. */

import { MAX_AT_WORK, MAX_BATCH_DAYS, MAX_RUN_NAME, MAX_YEARS, RUN_DEFAULTS } from "../../domain/defaults.ts";
import { MODES, type Mode } from "../../domain/runs/states.ts";
import { dom } from "../ui/dom.ts";
import { INTERVAL_OPTIONS, plural } from "../ui/format.ts";
import { DATE, type FormState, formFields } from "../ui/forms/form-field.tsx";

/** The fields as the browser sends them: text, named as in `POST /api/runs`. */
export const RUN_FIELDS = [
  "symbols",
  "mode",
  "years",
  "interval",
  "provider",
  "from",
  "to",
  "name",
  "max_workers",
  "batch_days",
] as const;
export type RunField = (typeof RUN_FIELDS)[number];

export interface RunFormView extends FormState<RunField> {
  readonly providers: readonly { readonly name: string; readonly title: string }[];
}

const MODE_TITLES: Readonly<Record<Mode, string>> = {
  full: "Full history",
  incremental: "Incremental",
  reprocess: "Reprocess",
  repair: "Repair gaps",
};

/** What can be chosen in the fields that runs and schedules share. */
export const MODE_OPTIONS = MODES.map((mode) => [mode, MODE_TITLES[mode]] as const);
export const YEAR_OPTIONS: readonly (readonly [value: string, title: string])[] = [
  ...Array.from({ length: MAX_YEARS }, (_, index) => [String(index + 1), plural(index + 1, "year")] as const),
  ["all", "All there is"],
];

/** Fields that few runs need: closed until one of them is used. */
const MORE_FIELDS = ["from", "to", "name", "max_workers", "batch_days"] as const satisfies readonly RunField[];
const MORE_DEFAULTS: Readonly<Record<(typeof MORE_FIELDS)[number], string>> = {
  from: "",
  to: "",
  name: "",
  max_workers: String(MAX_AT_WORK),
  batch_days: String(RUN_DEFAULTS.batchDays),
};

const { Field, NumberField, Choice, control } = formFields("run", RUN_FIELDS, {
  from: "Instead of History",
  to: "This day included",
  name: "On the pages and in mails",
  symbols: "Separate with commas or spaces",
  max_workers: `At most ${MAX_AT_WORK} in all`,
});

/** The cost of the run replaces the hint as soon as something is typed or chosen. */
const PREVIEW = {
  "aria-live": "polite",
  "hx-post": "/runs/preview",
  "hx-include": "closest form",
  "hx-trigger": 'input from:"closest form" delay:300ms, change from:"closest form"',
  "hx-sync": "this:replace",
} as const;

export const RunForm = ({ form }: { form: RunFormView }) => {
  const { values, errors } = form;
  return (
    <form
      id={dom.runForm}
      class="run-form"
      method="post"
      action="/runs"
      hx-post="/runs"
      hx-swap="outerHTML"
      hx-disable="find .primary"
      novalidate
      aria-labelledby="run-form-title"
    >
      <h2 id="run-form-title" class="visually-hidden">
        Start a run
      </h2>
      <Field name="symbols" title="Symbols" live={PREVIEW} form={form}>
        <textarea
          {...control("symbols", form)}
          rows={1}
          data-shortcut="n"
          data-symbols="/symbols"
          aria-autocomplete="list"
          aria-controls="symbol-options"
          placeholder="AAPL, MSFT, GOOGL"
          autocomplete="off"
          autocapitalize="characters"
          spellcheck={false}
        >
          {values.symbols}
        </textarea>
        <div
          id="symbol-options"
          class="symbol-options"
          role="listbox"
          tabindex={-1}
          aria-label="Symbols that fit"
          popover="manual"
        />
      </Field>
      <div class="run-options">
        <Field name="mode" title="Mode" form={form}>
          <Choice name="mode" form={form} options={MODE_OPTIONS} />
        </Field>
        <Field name="years" title="History" form={form}>
          <Choice name="years" form={form} options={YEAR_OPTIONS} />
        </Field>
        <Field name="interval" title="Interval" form={form}>
          <Choice name="interval" form={form} options={INTERVAL_OPTIONS} />
        </Field>
        <Field name="provider" title="Provider" form={form}>
          <Choice name="provider" form={form} options={form.providers.map(({ name, title }) => [name, title])} />
        </Field>
        <button type="submit" id="start-run" class="button primary">
          Start run
        </button>
      </div>
      <details
        class="run-more"
        open={MORE_FIELDS.some((field) => errors[field] !== undefined || values[field] !== MORE_DEFAULTS[field])}
      >
        <summary>More options</summary>
        <div class="run-options">
          <Field name="from" title="From" form={form}>
            <input {...control("from", form)} {...DATE} value={values.from} />
          </Field>
          <Field name="to" title="To" form={form}>
            <input {...control("to", form)} {...DATE} value={values.to} />
          </Field>
          <Field name="name" title="Name" form={form}>
            <input {...control("name", form)} maxlength={MAX_RUN_NAME} value={values.name} autocomplete="off" />
          </Field>
          <NumberField name="max_workers" title="Symbols at once" max={MAX_AT_WORK} form={form} />
          <NumberField name="batch_days" title="Batch size (days)" max={MAX_BATCH_DAYS} form={form} />
        </div>
      </details>
      {errors.form ? (
        <p class="error" role="alert" id="run-form-error">
          {errors.form}
        </p>
      ) : null}
    </form>
  );
};
