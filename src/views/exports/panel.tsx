/** @jsxImportSource hono/jsx */
/** The page of panels: a form that builds a request, the size of its result, and how to send it. */

import { listSymbols } from "../../domain/market/symbol.ts";
import { Crumbs } from "../ui/components.tsx";
import { type Command, CopyAs } from "../ui/copy-as.tsx";
import { formatCount, plural, sizeText } from "../ui/format.ts";
import { DATE, type FormState, formFields } from "../ui/forms/form-field.tsx";
import { Layout, type PageContext } from "../ui/layout.tsx";

/** The fields of the form with one value each. */
export const PANEL_FIELDS = [
  "symbols",
  "watchlist",
  "where",
  "interval",
  "from",
  "to",
  "names",
  "more",
  "labels",
  "sort",
  "format",
  "dtype",
  "adjust",
  "as_known_at",
] as const;
export type PanelField = (typeof PANEL_FIELDS)[number];

type Option = readonly [value: string, title: string];

interface PanelPreview {
  readonly symbols: number;
  readonly missing: readonly string[];
  /** From when on answers about the past are exact (ISO); empty if the request asks for no earlier moment. */
  readonly knownSince: string;
  /** About how many rows and bytes. */
  readonly rows: number;
  readonly columns: number;
  readonly bytes: number;
  /** The path of the request, and the text that sends it from other tools. */
  readonly address: string;
  readonly parameters: readonly (readonly [name: string, value: string])[];
  readonly commands: readonly Command[];
}

export interface PanelView extends FormState<PanelField> {
  readonly hasBars: boolean;
  readonly features: ReadonlySet<string>;
  readonly chosenLabels: ReadonlySet<string>;
  readonly watchlists: readonly string[];
  readonly families: readonly { readonly title: string; readonly names: readonly string[] }[];
  readonly labels: readonly { readonly name: string; readonly formula: string }[];
  readonly options: Readonly<Record<"interval" | "sort" | "format" | "dtype" | "adjust", readonly Option[]>>;
  /** `null` before a request was made, or if it is refused. */
  readonly preview: PanelPreview | null;
}

const { Field, Choice, control } = formFields("panel", PANEL_FIELDS);

export const PanelPage = ({ page, view }: { page: PageContext; view: PanelView }) => (
  <Layout page={page} title="Panel">
    <header class="page-head">
      <Crumbs trail={[["Profiles", "/profiles"]]} />
      <h1>Panel</h1>
      <span class="muted">Bars, features and labels of many symbols in one table</span>
    </header>
    {view.errors.form === undefined ? null : (
      <p class="error" role="alert">
        {view.errors.form}
      </p>
    )}
    {view.preview === null ? null : <Preview preview={view.preview} />}
    <form method="get" action="/panel" class="panel-form">
      <Symbols view={view} />
      <fieldset>
        <legend>Rows</legend>
        <Select view={view} name="interval" title="Interval" />
        <Text view={view} name="from" title="From" {...DATE} />
        <Text view={view} name="to" title="To, not included" {...DATE} />
        <Select view={view} name="sort" title="Sort by" />
        <Select view={view} name="adjust" title="Adjusted for" />
        <Text view={view} name="as_known_at" title="As known at, UTC" placeholder="2026-03-02T21:00Z" />
      </fieldset>
      <Features view={view} />
      <Labels view={view} />
      <fieldset>
        <legend>File</legend>
        <Select view={view} name="format" title="Format" />
        <Select view={view} name="dtype" title="Numbers" />
      </fieldset>
      <button type="submit" class="button primary">
        Show size and request
      </button>
    </form>
  </Layout>
);

const Symbols = ({ view }: { view: PanelView }) => (
  <fieldset>
    <legend>Symbols: fill in one of these</legend>
    <Text view={view} name="symbols" title="Named" placeholder="AAPL, MSFT" />
    <Field name="watchlist" title="Of a watchlist" form={view}>
      <Choice
        name="watchlist"
        form={view}
        options={[["", "none"], ...view.watchlists.map((name) => [name, name] as const)]}
      />
    </Field>
    <Text view={view} name="where" title="Of a screen" placeholder="rsi_14 < 30" />
  </fieldset>
);

const Features = ({ view }: { view: PanelView }) => (
  <fieldset>
    <legend>Columns</legend>
    <label class="check">
      <input type="checkbox" name="include" value="ohlcv" checked={view.hasBars || undefined} /> Open, high, low, close,
      volume
    </label>
    <Field name="names" title="Features" form={view}>
      <Choice
        name="names"
        form={view}
        options={[
          ["chosen", "Those chosen below"],
          ["all", "All"],
          ["none", "None"],
        ]}
      />
    </Field>
    <Text view={view} name="more" title="Features of longer bars" placeholder="rsi_14@1h, sma_20@1d" />
    <div class="panel-families folds">
      {view.families.map(({ title, names }) => (
        <details open={names.some((name) => view.features.has(name)) || undefined}>
          <summary>
            {title} <span class="muted num">{names.length}</span>
          </summary>
          <Checks name="feature" names={names} chosen={view.features} />
        </details>
      ))}
    </div>
  </fieldset>
);

const Labels = ({ view }: { view: PanelView }) => (
  <fieldset>
    <legend>Labels: they look ahead</legend>
    <ul class="panel-checks">
      {view.labels.map(({ name, formula }) => (
        <li>
          <label class="check" title={formula}>
            <input type="checkbox" name="label" value={name} checked={view.chosenLabels.has(name) || undefined} />{" "}
            {name}
          </label>
        </li>
      ))}
    </ul>
    <Text view={view} name="labels" title="Other labels" placeholder="fwd_ret_60, tb_10_15_15" />
  </fieldset>
);

const Checks = (props: { name: string; names: readonly string[]; chosen: ReadonlySet<string> }) => (
  <ul class="panel-checks">
    {props.names.map((each) => (
      <li>
        <label class="check">
          <input type="checkbox" name={props.name} value={each} checked={props.chosen.has(each) || undefined} /> {each}
        </label>
      </li>
    ))}
  </ul>
);

const Preview = ({ preview }: { preview: PanelPreview }) => {
  const { symbols, missing, knownSince, rows, columns, bytes, address, parameters, commands } = preview;
  return (
    <section class="panel-preview" aria-labelledby="panel-preview-title">
      <h2 id="panel-preview-title">
        About {formatCount(rows)} {rows === 1 ? "row" : "rows"} of {plural(columns, "column")}, about {sizeText(bytes)}
      </h2>
      <p>
        {plural(symbols, "symbol")}
        {missing.length === 0 ? "." : `; without bars in the range: ${listSymbols(missing, 12)}.`}
      </p>
      {knownSince === "" ? null : (
        <p>When bars were first seen is recorded since {knownSince}: before, all bars that had begun count as known.</p>
      )}
      <div class="panel-keep">
        <a class="button primary" href={address} download>
          Download
        </a>
        {parameters.some(([name]) => name === "where") ? null : <SaveSnapshot parameters={parameters} />}
      </div>
      <CopyAs commands={commands} heading="h3" open />
    </section>
  );
};

/** Makes a snapshot of the panel. A screen has none: its symbols change with the profiles. */
const SaveSnapshot = ({ parameters }: Pick<PanelPreview, "parameters">) => (
  <form method="post" action="/snapshots">
    {parameters.map(([name, value]) => (
      <input type="hidden" name={name} value={value} />
    ))}
    <div class="field">
      <label for="snapshot-name">Name of the snapshot</label>
      <input id="snapshot-name" name="name" maxlength={80} required autocomplete="off" />
    </div>
    <button type="submit" class="button">
      Save as snapshot
    </button>
    <a href="/snapshots">Snapshots</a>
  </form>
);

const Text = (props: { view: PanelView; name: PanelField; title: string; placeholder?: string }) => {
  const { view, name, title, ...attributes } = props;
  return (
    <Field name={name} title={title} form={view}>
      <input {...control(name, view)} value={view.values[name]} autocomplete="off" spellcheck={false} {...attributes} />
    </Field>
  );
};

const Select = (props: { view: PanelView; name: keyof PanelView["options"]; title: string }) => (
  <Field name={props.name} title={props.title} form={props.view}>
    <Choice name={props.name} form={props.view} options={props.view.options[props.name]} />
  </Field>
);
