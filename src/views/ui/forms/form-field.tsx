/** @jsxImportSource hono/jsx */
/** The fields of a form: label, control, hint and error, linked for screen readers. */

import type { Child } from "hono/jsx";

/** Typed values, and errors by field; `form` is for errors of no field. */
export interface FormState<Name extends string> {
  readonly values: Readonly<Record<Name, string>>;
  readonly errors: Readonly<Partial<Record<Name | "form", string>>>;
}

/** Dates, months and times as text: a browser's own fields show them in the order and on the clock of its language. */
const TYPED = { autocomplete: "off", spellcheck: false, size: 10 } as const;
export const DATE = { ...TYPED, placeholder: "2020-01-31", maxlength: 10 } as const;
export const MONTH = { ...TYPED, placeholder: "2020-01", maxlength: 7 } as const;
export const TIME = { ...TYPED, placeholder: "18:30", maxlength: 5 } as const;

interface FieldProps<Name extends string> {
  readonly name: Name;
  readonly form: FormState<Name>;
}

/**
 * The components of one form. `names` are its fields in the order of the page: the first with an error gets the focus.
 * Ids are `{prefix}-{name}`, with `-hint` and `-error` for the hint and the error.
 */
export function formFields<Name extends string>(
  prefix: string,
  names: readonly Name[],
  hints?: Readonly<Partial<Record<Name, string>>>,
) {
  const idOf = (name: Name) => `${prefix}-${name}`;

  /** The attributes of a control: id, name, and the links to its error or hint. */
  const control = (name: Name, { errors }: FormState<Name>) => {
    const invalid = errors[name] !== undefined;
    const first = names.find((each) => errors[each] !== undefined) === name;
    return {
      id: idOf(name),
      name,
      "aria-invalid": invalid ? ("true" as const) : undefined,
      "aria-describedby": invalid
        ? `${idOf(name)}-error`
        : hints?.[name] === undefined
          ? undefined
          : `${idOf(name)}-hint`,
      autofocus: first || undefined,
    };
  };

  /** A labelled control with its error or, without one, its hint; `live` are attributes of the hint. */
  const Field = (props: FieldProps<Name> & { title: string; live?: object; children?: Child }) => {
    const { name, form } = props;
    const [error, hint] = [form.errors[name], hints?.[name]];
    return (
      <div class={`field field-${name}`}>
        <label for={idOf(name)}>{props.title}</label>
        {props.children}
        {error !== undefined ? (
          <p class="error" id={`${idOf(name)}-error`}>
            {error}
          </p>
        ) : hint !== undefined ? (
          <p class="hint" id={`${idOf(name)}-hint`} {...props.live}>
            {hint}
          </p>
        ) : null}
      </div>
    );
  };

  /** A select of values with their titles. */
  const Choice = (props: FieldProps<Name> & { options: readonly (readonly [value: string, title: string])[] }) => (
    <select {...control(props.name, props.form)}>
      {props.options.map(([value, title]) => (
        <option value={value} selected={value === props.form.values[props.name] || undefined}>
          {title}
        </option>
      ))}
    </select>
  );

  /** A labelled whole number from 1. */
  const NumberField = (props: FieldProps<Name> & { title: string; max: number }) => (
    <Field name={props.name} title={props.title} form={props.form}>
      <input
        {...control(props.name, props.form)}
        type="number"
        min="1"
        max={props.max}
        value={props.form.values[props.name]}
      />
    </Field>
  );

  return { Field, NumberField, Choice, control };
}

/** Errors away from their fields, each with the title of its field. */
export const NamedErrors = <Name extends string>(props: {
  errors: Readonly<Partial<Record<Name | "form", string>>>;
  titles: Readonly<Record<Name, string>>;
}) => {
  const titles: Readonly<Record<string, string>> = props.titles;
  return Object.entries<string | undefined>(props.errors).map(([name, error]) => (
    <p class="error">{titles[name] === undefined ? error : `${titles[name]}: ${error}`}</p>
  ));
};

/** The reason for the audit; `of` makes its id unique on the page. */
export const Reason = ({ of }: { of: string }) => (
  <div class="field reason">
    <label for={`reason-${of}`}>Reason, for the audit (optional)</label>
    <input id={`reason-${of}`} name="reason" maxlength={200} autocomplete="off" />
  </div>
);
