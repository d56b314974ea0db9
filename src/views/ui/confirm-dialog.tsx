/** @jsxImportSource hono/jsx */
/** The confirmation of an action: shows the present numbers, which the server checks again when it is confirmed. */

import type { Child } from "hono/jsx";
import { Reason } from "./forms/form-field.tsx";
import { Layout, type PageContext } from "./layout.tsx";

interface Choice {
  readonly value: string;
  readonly title: string;
  /** What it would do, in words. */
  readonly detail: string;
  readonly enabled: boolean;
  readonly chosen: boolean;
}

export interface ConfirmView {
  readonly title: string;
  /** What would happen, a sentence each. */
  readonly facts: readonly string[];
  /** Where the confirmation is sent, with the number that was shown as `expect`. */
  readonly action: string;
  readonly expect: number;
  readonly yes: string;
  readonly no: string;
  /** More form fields of the confirmation. */
  readonly fields?: readonly (readonly [name: string, value: string])[];
  /** Radio buttons of the field `name`; one must be chosen. */
  readonly choices?: { readonly name: string; readonly options: readonly Choice[] };
  /** The page to return to. */
  readonly back: string;
}

export const ConfirmDialog = ({ dialog }: { dialog: ConfirmView }) => (
  <form class="question" method="post" action={dialog.action} data-actions>
    <h2 id="question-title">{dialog.title}</h2>
    <ul>
      {dialog.facts.map((fact) => (
        <li>{fact}</li>
      ))}
    </ul>
    {dialog.choices ? <Choices {...dialog.choices} /> : null}
    <input type="hidden" name="expect" value={dialog.expect} />
    {dialog.fields?.map(([name, value]) => (
      <input type="hidden" name={name} value={value} />
    ))}
    <input type="hidden" name="back" value={dialog.back} />
    <Reason of="question" />
    <p class="answers">
      <a class="button" href={dialog.back} data-close autofocus>
        {dialog.no}
      </a>
      <button type="submit" class={`button ${dialog.choices ? "primary" : "danger"}`}>
        {dialog.yes}
      </button>
    </p>
  </form>
);

const Choices = ({ name, options }: NonNullable<ConfirmView["choices"]>) => (
  <div class="choices">
    {options.map(({ value, title, detail, enabled, chosen }) => (
      <label>
        <input type="radio" name={name} value={value} required disabled={!enabled} checked={chosen} />
        <b>{title}</b> <span class="muted">{detail}</span>
      </label>
    ))}
  </div>
);

/** Confirms the deletion of what has a page of its own below `list`; the children say what goes and what stays. */
export const DeletePage = (props: {
  page: PageContext;
  kind: "promise" | "schedule";
  list: string;
  of: { readonly id: number; readonly name: string };
  children: Child;
}) => (
  <Layout page={props.page} title={`Delete ${props.of.name}`}>
    <form class="confirm" method="post" action={`${props.list}/${props.of.id}/delete`}>
      <h1>Delete {props.of.name}?</h1>
      <p>{props.children}</p>
      <Reason of="delete" />
      <p class="confirm-choice">
        <button type="submit" class="button danger">
          Delete {props.kind}
        </button>
        <a class="button" href={props.list}>
          Keep it
        </a>
      </p>
    </form>
  </Layout>
);

export const ConfirmPage = ({ page, dialog }: { page: PageContext; dialog: ConfirmView }) => (
  <Layout page={page} title={dialog.title}>
    <h1 class="visually-hidden">Please confirm</h1>
    <ConfirmDialog dialog={dialog} />
  </Layout>
);
