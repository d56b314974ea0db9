/** @jsxImportSource hono/jsx */
/** The login page. */

import { Layout, type PageContext } from "../ui/layout.tsx";

export const LoginPage = (props: { page: PageContext; next: string; error: string | null }) => {
  const { next, error } = props;
  return (
    <Layout page={{ ...props.page, path: "/login" }} title="Sign in">
      <form class="login" method="post" action="/login">
        <h1>Sign in</h1>
        <input type="hidden" name="next" value={next} />
        <div class="field">
          <label for="password">Password or access token</label>
          <input
            id="password"
            name="password"
            type="password"
            autocomplete="current-password"
            required
            autofocus
            aria-invalid={error ? "true" : undefined}
            aria-describedby={error ? "password-error" : undefined}
          />
          {error ? (
            <p id="password-error" class="error" role="alert">
              {error}
            </p>
          ) : null}
        </div>
        <button type="submit" class="button primary">
          Sign in
        </button>
      </form>
    </Layout>
  );
};
