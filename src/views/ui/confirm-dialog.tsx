/** "Are you sure?", asked by the server with the numbers as they are, and checked by it when the answer comes. */

import { Reason } from "./form-field.tsx";
import { type Frame, Page } from "./layout.tsx";

interface Choice {
  readonly value: string;
  readonly title: string;
  /** What it would do. */
  readonly detail: string;
  readonly enabled: boolean;
  readonly chosen: boolean;
}

export interface QuestionView {
  readonly title: string;
  /** What would happen, a sentence each. */
  readonly facts: readonly string[];
  /** Where a yes is sent, with `expect`: how many it was when the question was asked. */
  readonly action: string;
  readonly expect: number;
  readonly yes: string;
  readonly no: string;
  /** What the yes carries besides, as fields of a form. */
  readonly fields?: readonly (readonly [name: string, value: string])[];
  /** One of these is to be chosen, under the name `name`. */
  readonly choices?: { readonly name: string; readonly options: readonly Choice[] };
  /** The page to stay on. */
  readonly back: string;
}

export const Question = ({ question }: { question: QuestionView }) => (
  <form class="question" method="post" action={question.action} data-actions>
    <h2 id="question-title">{question.title}</h2>
    <ul>
      {question.facts.map((fact) => (
        <li>{fact}</li>
      ))}
    </ul>
    {question.choices ? <Choices {...question.choices} /> : null}
    <input type="hidden" name="expect" value={question.expect} />
    {question.fields?.map(([name, value]) => (
      <input type="hidden" name={name} value={value} />
    ))}
    <input type="hidden" name="back" value={question.back} />
    <Reason of="question" />
    <p class="answers">
      <a class="button" href={question.back} data-close autofocus>
        {question.no}
      </a>
      <button type="submit" class={`button ${question.choices ? "primary" : "danger"}`}>
        {question.yes}
      </button>
    </p>
  </form>
);

const Choices = ({ name, options }: NonNullable<QuestionView["choices"]>) => (
  <div class="choices">
    {options.map(({ value, title, detail, enabled, chosen }) => (
      <label>
        <input type="radio" name={name} value={value} required disabled={!enabled} checked={chosen} />
        <b>{title}</b> <span class="muted">{detail}</span>
      </label>
    ))}
  </div>
);

export const QuestionPage = ({ frame, question }: { frame: Frame; question: QuestionView }) => (
  <Page frame={frame} title={question.title}>
    <h1 class="visually-hidden">Please confirm</h1>
    <Question question={question} />
  </Page>
);
