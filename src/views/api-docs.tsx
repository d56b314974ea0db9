/** @jsxImportSource hono/jsx */
/** The API page: every route with its parameters, body and responses. */

import type { Child } from "hono/jsx";
import { ColumnHeads } from "./ui/components.tsx";
import { Layout, type PageContext } from "./ui/layout.tsx";

/** One parameter or field. */
export interface ApiField {
  readonly name: string;
  readonly location: string;
  readonly type: string;
  readonly required: boolean;
  readonly description: string;
}

export interface ApiOperation {
  /** Its `operationId`, which is its anchor too. */
  readonly id: string;
  readonly method: string;
  readonly path: string;
  readonly summary: string;
  /** The call as a command. */
  readonly curl: string;
  readonly fields: readonly ApiField[];
  readonly answers: readonly { readonly status: string; readonly description: string }[];
  /** A request and its answer, with their headers. */
  readonly example: { readonly request: string; readonly response: string } | null;
}

/** A kind of refusal; `anchor` is the id to which the `type` of a problem leads. */
interface ApiProblem {
  readonly status: number;
  readonly title: string;
  readonly meaning: string;
  readonly anchor: string;
}

export interface ApiGroup {
  readonly name: string;
  readonly description: string;
  readonly operations: readonly ApiOperation[];
}

interface ApiDocsProps {
  readonly page: PageContext;
  readonly groups: readonly ApiGroup[];
  /** Each group rendered by `ApiGroupSection`. */
  readonly sections: readonly Child[];
  readonly problems: readonly ApiProblem[];
}

export const ApiDocsPage = ({ page, groups, sections, problems }: ApiDocsProps) => (
  <Layout page={page} title="API">
    <header class="page-head">
      <h1>API</h1>
    </header>
    <div class="api-docs">
      <Contents groups={groups} />
      <div class="prose">
        <p>
          The API sends and takes JSON over HTTP. Programs can read its description at{" "}
          <a href="/api/openapi.json">/api/openapi.json</a>. A request that is refused is answered with{" "}
          <code>application/problem+json</code> (RFC 9457): <code>type</code> is the address of one of the{" "}
          <a href="#problems">problems</a> below, and <code>errors</code> lists the fields that are wrong. In the
          commands, replace the words in capitals with your own values. A schedule, a promise or a watchlist may be sent
          back as it was read: fields that only answers have are ignored.
        </p>
        {sections}
        <Problems problems={problems} />
      </div>
    </div>
  </Layout>
);

export const ApiGroupSection = ({ group: { name, description, operations } }: { group: ApiGroup }) => (
  <section aria-labelledby={anchorOf(name)}>
    <h2 id={anchorOf(name)}>{name}</h2>
    <p class="muted">{description}</p>
    {operations.map((operation) => (
      <Operation operation={operation} />
    ))}
  </section>
);

const anchorOf = (tag: string) => `tag-${tag.toLowerCase()}`;

const Contents = ({ groups }: Pick<ApiDocsProps, "groups">) => (
  <nav class="api-contents" aria-label="Contents">
    {groups.map(({ name, operations }) => (
      <div>
        <a href={`#${anchorOf(name)}`}>{name}</a>
        <ul>
          {operations.map(({ id }) => (
            <li>
              <a href={`#${id}`}>{id}</a>
            </li>
          ))}
        </ul>
      </div>
    ))}
    <div>
      <a href="#problems">Problems</a>
    </div>
  </nav>
);

/** A text with code between backticks. */
const Words = ({ text }: { text: string }) => (
  <>{text.split("`").map((part, at) => (at % 2 === 1 ? <code>{part}</code> : part))}</>
);

const Operation = ({
  operation: { id, method, path, summary, curl, fields, answers, example },
}: {
  operation: ApiOperation;
}) => (
  <article>
    <h3 id={id}>
      <code>
        {method} {path}
      </code>
    </h3>
    <p>
      <Words text={summary} />
    </p>
    <div class="copy-as">
      <button type="button" class="button" data-copy hidden aria-label={`Copy the command of ${id}`}>
        Copy
      </button>
      <pre>{curl}</pre>
    </div>
    {fields.length > 0 ? (
      <section class="scroll" tabindex={0} aria-label={`Parameters of ${method} ${path}`}>
        <table class="list">
          <thead>
            <ColumnHeads texts={["Name", "In", "Type", "Meaning"]} />
          </thead>
          <tbody>
            {fields.map((field) => (
              <tr>
                <td>
                  <code>{field.name}</code>
                  {field.required ? " (required)" : ""}
                </td>
                <td>{field.location}</td>
                <td>{field.type}</td>
                <td>
                  <Words text={field.description} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    ) : null}
    <dl class="api-answers">
      {answers.map(({ status, description }) => (
        <>
          <dt>{status}</dt>
          <dd>
            <Words text={description} />
          </dd>
        </>
      ))}
    </dl>
    {example === null ? null : (
      <details class="copy-as">
        <summary>Example of {id}, in short</summary>
        <pre class="example">{example.request}</pre>
        <pre class="example">{example.response}</pre>
      </details>
    )}
  </article>
);

const Problems = ({ problems }: { problems: readonly ApiProblem[] }) => (
  <article>
    <h2 id="problems">Problems</h2>
    <section class="scroll" tabindex={0} aria-label="Problems">
      <table class="list">
        <thead>
          <ColumnHeads texts={["Status", "Title", "When"]} />
        </thead>
        <tbody>
          {problems.map(({ status, title, meaning, anchor }) => (
            <tr id={anchor}>
              <td>{status}</td>
              <td>{title}</td>
              <td>
                <Words text={meaning} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  </article>
);
