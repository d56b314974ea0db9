/** @jsxImportSource hono/jsx */
/** The fields of a form: label, control, hint and error, tied together for those who look and those who listen. */

import type { Child } from "hono/jsx";

/** What was typed, and what is wrong with it by field; `form` is for what belongs to none. */
export interface FormState<Name extends string> {
  readonly values: Readonly<Record<Name, string>>;
  readonly errors: Readonly<Partial<Record<Name | "form", string>>>;
}

interface FieldProps<Name extends string> {
  readonly name: Name;
  readonly form: FormState<Name>;
}

/**
 * The parts of one form. `names` are its fields in the order of the page: the first that is wrong takes the focus.
 * Ids are `{prefix}-{name}`, with `-hint` and `-error` for what is said of the field.
 */
export function formFields<Name extends string>(
  prefix: string,
  names: readonly Name[],
  hints?: Readonly<Partial<Record<Name, string>>>,
) {
  const idOf = (name: Name) => `${prefix}-${name}`;

  /** What every control has: its name, its label's target, and the tie to what is said of it. */
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

  /** A labelled control with its error or, while there is none, its hint; `live` are attributes of the hint. */
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

  /** A choice between values, each with its title. */
  const Choice = (props: FieldProps<Name> & { options: readonly (readonly [value: string, title: string])[] }) => (
    <select {...control(props.name, props.form)}>
      {props.options.map(([value, title]) => (
        <option value={value} selected={value === props.form.values[props.name] || undefined}>
          {title}
        </option>
      ))}
    </select>
  );

  return { Field, Choice, control };
}

/** Why something is done, in a few words for the audit; `of` tells it from others on the page. */
export const Reason = ({ of }: { of: string }) => (
  <div class="field reason">
    <label for={`reason-${of}`}>Reason, for the audit (optional)</label>
    <input id={`reason-${of}`} name="reason" maxlength={200} autocomplete="off" />
  </div>
);
