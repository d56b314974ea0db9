/** @jsxImportSource hono/jsx */
/** The login page. */

import { Layout, type PageContext } from "../ui/layout.tsx";

interface LoginProps {
  readonly page: PageContext;
  /** Where to go afterwards. */
  readonly next: string;
  readonly error: string | null;
  /** Whether something was sent after the login had ended. */
  readonly isUnsent: boolean;
}

export const LoginPage = (props: LoginProps) => {
  const { next, error, isUnsent } = props;
  return (
    <Layout page={{ ...props.page, path: "/login" }} title="Sign in">
      <form class="login" method="post" action="/login">
        <h1>Sign in</h1>
        {isUnsent ? (
          <p role="status">Your login has ended, and what you sent was not stored. Sign in, and send it again.</p>
        ) : null}
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
