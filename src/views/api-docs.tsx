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

export const ApiDocsPage = ({ page, operations }: { page: PageContext; operations: readonly ApiOperation[] }) => (
  <Layout page={page} title="API">
    <header class="page-head">
      <h1>API</h1>
    </header>
    <div class="prose">
      <p>
        JSON over HTTP, described for programs at <a href="/api/openapi.json">/api/openapi.json</a>. Errors are{" "}
        <code>application/problem+json</code> and name the field.
      </p>
      {operations.map((operation) => (
        <Operation operation={operation} />
      ))}
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
