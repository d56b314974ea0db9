/** @jsxImportSource hono/jsx */
/** The form of a promise, with what it means now. It keeps what was typed and shows errors at their fields. */

import { PROMISE_DAYS, PROMISE_VENUES, type PromiseDays, venueTitle } from "../../domain/promises/promise.ts";
import { Until } from "../ui/components.tsx";
import { INTERVAL_OPTIONS, inZone } from "../ui/format.ts";
import { type FormState, formFields, NamedErrors, Reason } from "../ui/forms/form-field.tsx";
import { FormError, type SelectionOptions, selectionFields } from "../ui/forms/selection-fields.tsx";
import { ForecastPill, type PromiseStatusView, StatusDetails } from "./promise-status.tsx";

/** The fields as the browser sends them: text, named as in `POST /api/promises`. */
export const PROMISE_FIELDS = [
  "name",
  "by_time",
  "time_zone",
  "days",
  "venue",
  "scope",
  "symbols",
  "watchlist_id",
  "interval",
  "provider",
  "max_gaps",
  "gap_days",
  "warn_hours",
  "enabled",
] as const;
type PromiseField = (typeof PROMISE_FIELDS)[number];

/** The titles of the fields. */
const TITLES: Readonly<Record<PromiseField, string>> = {
  name: "Name",
  by_time: "Fresh by",
  time_zone: "Time zone",
  days: "On",
  venue: "Trading days of",
  scope: "What shall be fresh",
  symbols: "Symbols",
  watchlist_id: "Watchlist",
  interval: "Interval",
  provider: "Provider",
  max_gaps: "Gaps allowed",
  gap_days: "Days searched for gaps",
  warn_hours: "Hours of warning",
  enabled: "Enabled",
};

/** What the form means now, what is still to be filled in, or what is wrong with it. */
export type PromisePreviewView =
  | { readonly hint: string }
  | { readonly errors: PromiseFormView["errors"] }
  | { readonly status: PromiseStatusView; readonly timeZone: string; readonly now: number };

export interface PromiseFormView extends FormState<PromiseField>, SelectionOptions {
  /** The promise that is changed; `null` for a new one. */
  readonly id: number | null;
  readonly providers: readonly { readonly name: string; readonly title: string }[];
  readonly preview: PromisePreviewView;
  /** Whether the form is open at first. */
  readonly isOpen: boolean;
}

const fields = formFields("promise", PROMISE_FIELDS, {
  by_time: "On a clock of 24 hours",
  symbols: "Separate with commas or spaces",
  max_gaps: "Of all its series together",
  gap_days: "Before the deadline",
  warn_hours: "From then on an alert says that it is at risk",
});
const { Field, Choice, control } = fields;

const { TimeZoneField, SymbolFields, EnabledField } = selectionFields<PromiseField>(fields, {
  scope: TITLES.scope,
  noWatchlist: "There is no watchlist",
  chooseWatchlist: "Choose a watchlist",
});

const DAYS_TITLES: Readonly<Record<PromiseDays, string>> = {
  trading_days: "Trading days",
  weekdays: "Monday to Friday",
  every_day: "Every day",
};

/** Requests what the form means now, while it is filled in. */
const PREVIEW = {
  "hx-post": "/promises/preview",
  "hx-include": "closest form",
  "hx-trigger": "input from:#promise-form delay:400ms, change from:#promise-form",
  "hx-sync": "this:replace",
} as const;

/** The next deadline, and what is to be expected of it. */
export const PromisePreview = ({ preview }: { preview: PromisePreviewView }) => {
  if ("hint" in preview) return <p>{preview.hint}</p>;
  if ("errors" in preview) return <NamedErrors errors={preview.errors} titles={TITLES} />;
  const { status, timeZone, now } = preview;
  return (
    <>
      <p>
        <ForecastPill state={status.state} />{" "}
        {status.deadline === null ? (
          "No deadline is near."
        ) : (
          <>
            The next deadline is <span class="num">{inZone(status.deadline, timeZone)}</span>,{" "}
            <Until at={status.deadline} now={now} />.
          </>
        )}
      </p>
      <StatusDetails status={status} now={now} />
    </>
  );
};

export const PromiseForm = ({ form }: { form: PromiseFormView }) => (
  <form
    id="promise-form"
    class="schedule-form promise-form"
    method="post"
    action={form.id === null ? "/promises" : `/promises/${form.id}`}
    novalidate
    aria-labelledby="promise-form-title"
  >
    <h2 id="promise-form-title" class="visually-hidden">
      {form.id === null ? "Add a promise" : "Change the promise"}
    </h2>
    <Field name="name" title={TITLES.name} form={form}>
      <input {...control("name", form)} value={form.values.name} maxlength={80} autocomplete="off" />
    </Field>
    <Field name="by_time" title={TITLES.by_time} form={form}>
      <input
        {...control("by_time", form)}
        value={form.values.by_time}
        placeholder="07:00"
        maxlength={5}
        size={6}
        inputmode="numeric"
        autocomplete="off"
        spellcheck={false}
      />
    </Field>
    <TimeZoneField form={form} />
    <Field name="days" title={TITLES.days} form={form}>
      <Choice name="days" form={form} options={PROMISE_DAYS.map((days) => [days, DAYS_TITLES[days]])} />
    </Field>
    <Field name="venue" title={TITLES.venue} form={form}>
      <Choice name="venue" form={form} options={PROMISE_VENUES.map((venue) => [venue, venueTitle(venue)])} />
    </Field>
    <SymbolFields form={form} />
    <Field name="interval" title={TITLES.interval} form={form}>
      <Choice name="interval" form={form} options={INTERVAL_OPTIONS} />
    </Field>
    <Field name="provider" title={TITLES.provider} form={form}>
      <Choice
        name="provider"
        form={form}
        options={[["", "Any"], ...form.providers.map(({ name, title }) => [name, title] as const)]}
      />
    </Field>
    <Field name="max_gaps" title={TITLES.max_gaps} form={form}>
      <input {...control("max_gaps", form)} value={form.values.max_gaps} inputmode="numeric" autocomplete="off" />
    </Field>
    <Field name="gap_days" title={TITLES.gap_days} form={form}>
      <input {...control("gap_days", form)} value={form.values.gap_days} inputmode="numeric" autocomplete="off" />
    </Field>
    <Field name="warn_hours" title={TITLES.warn_hours} form={form}>
      <input {...control("warn_hours", form)} value={form.values.warn_hours} inputmode="numeric" autocomplete="off" />
    </Field>
    <EnabledField form={form} />
    <section class="promise-preview" aria-labelledby="promise-preview-title">
      <h3 id="promise-preview-title">What it means now</h3>
      <div id="promise-preview" aria-live="polite" {...PREVIEW}>
        <PromisePreview preview={form.preview} />
      </div>
    </section>
    {form.id === null ? null : <Reason of="promise" />}
    <FormError form={form} />
    <p class="button-row">
      <button type="submit" class="button primary">
        {form.id === null ? "Add promise" : "Save promise"}
      </button>
      {/* With JavaScript the preview follows what is typed. */}
      <button
        type="submit"
        class="button"
        formaction={form.id === null ? "/promises/preview" : `/promises/preview?id=${form.id}`}
      >
        Preview
      </button>
      {form.id === null ? null : (
        <a class="button" href="/promises">
          Discard changes
        </a>
      )}
    </p>
  </form>
);
