/** "Are you sure?", asked by the server with the numbers as they are, and checked by it when the answer comes. */

import { Reason } from "./field.tsx";
import { type Frame, Page } from "./layout.tsx";

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
      <button type="submit" class="button danger">
        {question.yes}
      </button>
    </p>
  </form>
);

export const QuestionPage = ({ frame, question }: { frame: Frame; question: QuestionView }) => (
  <Page frame={frame} title={question.title}>
    <h1 class="visually-hidden">Please confirm</h1>
    <Question question={question} />
  </Page>
);
