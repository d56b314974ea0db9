/** @jsxImportSource hono/jsx */
/** The page to sign in. */

import { type Frame, Page } from "../ui/layout.tsx";

export const LoginPage = (props: { frame: Frame; next: string; wrong: string | null }) => {
  const { next, wrong } = props;
  return (
    <Page frame={{ ...props.frame, path: "/login" }} title="Sign in">
      <form class="login" method="post" action="/login">
        <h1>Sign in</h1>
        <input type="hidden" name="next" value={next} />
        <label for="password">Password or access token</label>
        <input
          id="password"
          name="password"
          type="password"
          autocomplete="current-password"
          required
          autofocus
          aria-invalid={wrong ? "true" : undefined}
          aria-describedby={wrong ? "password-error" : undefined}
        />
        {wrong ? (
          <p id="password-error" class="error" role="alert">
            {wrong}
          </p>
        ) : null}
        <button type="submit" class="button primary">
          Sign in
        </button>
      </form>
    </Page>
  );
};
