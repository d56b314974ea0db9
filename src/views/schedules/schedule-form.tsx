/** @jsxImportSource hono/jsx */
/** The form of a schedule. It keeps what was typed and shows errors at their fields. */

import { CRON_PRESETS, MISSED_POLICIES, type MissedPolicy } from "../../domain/schedules.ts";
import { MODE_OPTIONS, YEAR_OPTIONS } from "../runs/run-form.tsx";
import { INTERVAL_OPTIONS } from "../ui/format.ts";
import { type FormState, formFields, Reason } from "../ui/forms/form-field.tsx";
import { FormError, type SelectionOptions, selectionFields } from "../ui/forms/selection-fields.tsx";
import { CronPreview, type CronPreviewView } from "./cron-preview.tsx";

/** The fields as the browser sends them: text, named as in `POST /api/schedules`. */
export const SCHEDULE_FIELDS = [
  "name",
  "cron",
  "time_zone",
  "scope",
  "symbols",
  "watchlist_id",
  "mode",
  "interval",
  "provider",
  "years",
  "on_missed",
  "enabled",
] as const;
type ScheduleField = (typeof SCHEDULE_FIELDS)[number];

export interface ScheduleFormView extends FormState<ScheduleField>, SelectionOptions {
  /** The schedule that is changed; `null` for a new one. */
  readonly id: number | null;
  readonly providers: readonly { readonly name: string; readonly title: string }[];
  /** What the typed expression means. */
  readonly preview: CronPreviewView;
  /** Whether the form is open at first: a schedule is being changed, or an input was refused or chosen. */
  readonly isOpen: boolean;
}

/** Requests the meaning of the expression while it is typed. */
const PREVIEW = {
  "hx-post": "/schedules/preview",
  "hx-include": "closest form",
  "hx-trigger": "input from:#schedule-cron delay:250ms, change from:#schedule-time_zone",
  "hx-sync": "this:replace",
} as const;

const fields = formFields("schedule", SCHEDULE_FIELDS, {
  cron: "Minute, hour, day of month, month, day of week",
  symbols: "Separate with commas or spaces",
  years: "For full runs, and the first run of a symbol",
});
const { Field, Choice, control } = fields;

const { TimeZoneField, SymbolFields, EnabledField } = selectionFields<ScheduleField>(fields, {
  scope: "What to run",
  noWatchlist: "There is none yet",
  chooseWatchlist: "Choose one",
});

const MISSED_TITLES: Readonly<Record<MissedPolicy, string>> = {
  catch_up: "Catch up with one run",
  skip: "Wait for the next run",
};

export const ScheduleForm = ({ form }: { form: ScheduleFormView }) => (
  <form
    class="schedule-form"
    method="post"
    action={form.id === null ? "/schedules" : `/schedules/${form.id}`}
    novalidate
    aria-labelledby="schedule-form-title"
  >
    <h2 id="schedule-form-title" class="visually-hidden">
      {form.id === null ? "Add a schedule" : "Change the schedule"}
    </h2>
    {/* Enter submits with the first button, which must not be a preset. */}
    <button type="submit" hidden>
      Save
    </button>
    <Field name="name" title="Name" form={form}>
      <input {...control("name", form)} value={form.values.name} maxlength={80} autocomplete="off" />
    </Field>
    <Field name="cron" title="When" form={form}>
      <input
        {...control("cron", form)}
        value={form.values.cron}
        placeholder="30 18 * * 1-5"
        maxlength={100}
        autocomplete="off"
        spellcheck={false}
      />
    </Field>
    <TimeZoneField form={form} />
    <div class="cron-help">
      <p class="button-row">
        {CRON_PRESETS.map(({ key, title }) => (
          <button
            type="submit"
            class="button"
            name="preset"
            value={key}
            formaction={form.id === null ? "/schedules/preset" : `/schedules/preset?id=${form.id}`}
          >
            {title}
          </button>
        ))}
      </p>
      <div id="schedule-preview" class="hint" aria-live="polite" {...PREVIEW}>
        {"error" in form.preview && form.errors.cron ? null : <CronPreview preview={form.preview} />}
      </div>
    </div>
    <SymbolFields form={form} />
    <Field name="mode" title="Mode" form={form}>
      <Choice name="mode" form={form} options={MODE_OPTIONS} />
    </Field>
    <Field name="interval" title="Interval" form={form}>
      <Choice name="interval" form={form} options={INTERVAL_OPTIONS} />
    </Field>
    <Field name="provider" title="Provider" form={form}>
      <Choice
        name="provider"
        form={form}
        options={[["", "The default"], ...form.providers.map(({ name, title }) => [name, title] as const)]}
      />
    </Field>
    <Field name="years" title="History" form={form}>
      <Choice name="years" form={form} options={YEAR_OPTIONS} />
    </Field>
    <Field name="on_missed" title="After a missed run" form={form}>
      <Choice name="on_missed" form={form} options={MISSED_POLICIES.map((policy) => [policy, MISSED_TITLES[policy]])} />
    </Field>
    <EnabledField form={form} />
    {form.id === null ? null : <Reason of="schedule" />}
    <FormError form={form} />
    <p class="button-row">
      <button type="submit" class="button primary">
        {form.id === null ? "Add schedule" : "Save schedule"}
      </button>
      {form.id === null ? null : (
        <a class="button" href="/schedules">
          Discard changes
        </a>
      )}
    </p>
  </form>
);
