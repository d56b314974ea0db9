/** @jsxImportSource hono/jsx */
/** The API page: every route with its parameters, body and responses. */

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
  readonly method: string;
  readonly path: string;
  readonly summary: string;
  readonly fields: readonly ApiField[];
  readonly answers: readonly { readonly status: string; readonly description: string }[];
}

/** A kind of refusal; `anchor` is the id to which the `type` of a problem leads. */
interface ApiProblem {
  readonly status: number;
  readonly title: string;
  readonly meaning: string;
  readonly anchor: string;
}

interface ApiDocsProps {
  readonly page: PageContext;
  readonly operations: readonly ApiOperation[];
  readonly problems: readonly ApiProblem[];
}

export const ApiDocsPage = ({ page, operations, problems }: ApiDocsProps) => (
  <Layout page={page} title="API">
    <header class="page-head">
      <h1>API</h1>
    </header>
    <div class="prose">
      <p>
        JSON over HTTP, described for programs at <a href="/api/openapi.json">/api/openapi.json</a>. Refusals are{" "}
        <code>application/problem+json</code> (RFC 9457): their <code>type</code> leads to one of the{" "}
        <a href="#problems">problems</a> below, and <code>errors</code> name the fields.
      </p>
      {operations.map((operation) => (
        <Operation operation={operation} />
      ))}
      <Problems problems={problems} />
    </div>
  </Layout>
);

const Operation = ({ operation: { method, path, summary, fields, answers } }: { operation: ApiOperation }) => (
  <article>
    <h2>
      <code>
        {method} {path}
      </code>
    </h2>
    <p>{summary}</p>
    {fields.length > 0 ? (
      <section class="scroll" tabindex={0} aria-label={`Parameters of ${method} ${path}`}>
        <table class="list">
          <thead>
            <tr>
              <th scope="col">Name</th>
              <th scope="col">In</th>
              <th scope="col">Type</th>
              <th scope="col">Meaning</th>
            </tr>
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
                <td>{field.description}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    ) : null}
    <p>Answers: {answers.map(({ status, description }) => `${status} ${description}`).join(" · ")}</p>
  </article>
);

const Problems = ({ problems }: { problems: readonly ApiProblem[] }) => (
  <article>
    <h2 id="problems">Problems</h2>
    <section class="scroll" tabindex={0} aria-label="Problems">
      <table class="list">
        <thead>
          <tr>
            <th scope="col">Status</th>
            <th scope="col">Title</th>
            <th scope="col">When</th>
          </tr>
        </thead>
        <tbody>
          {problems.map(({ status, title, meaning, anchor }) => (
            <tr id={anchor}>
              <td>{status}</td>
              <td>{title}</td>
              <td>{meaning.replaceAll("`", "")}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  </article>
);
