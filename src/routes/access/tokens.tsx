/** @jsxImportSource hono/jsx */
/** `/settings/access`: creates, lists and revokes API tokens (each is shown once); lists and ends login sessions. */

import { type Context, Hono } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { hashSecret, newSecret, TOKEN_PREFIX } from "../../auth.ts";
import { isScope, looksLikeOwnActor, SCOPES } from "../../domain/access.ts";
import { invalid, quote, Refusal } from "../../domain/errors.ts";
import { requireName } from "../../schemas.ts";
import { listTokens, saveToken } from "../../storage/access/tokens.ts";
import { AccessPage, type AccessView, TOKEN_TERMS } from "../../views/access/tokens-page.tsx";
import { errorsByField, requireKnownFields } from "../form-errors.ts";
import type { Services } from "../services.ts";
import type { Authenticator } from "./authenticator.ts";
import type { SessionCookie } from "./session-cookie.ts";

const DAY_MS = 86_400_000;
const DEFAULT_TERM = "90";
/** Longest name of a token, characters. */
const MAX_NAME = 60;

interface Dependencies extends Pick<Services, "db"> {
  readonly access: Authenticator;
  readonly cookie: SessionCookie;
}

export function tokenPages({ db, access, cookie }: Dependencies) {
  const pages = new Hono();
  const show = async (c: Context, more: Partial<AccessView> = {}, status: ContentfulStatusCode = 200) => {
    const view: AccessView = {
      tokens: await listTokens(db),
      sessions: await access.sessions(cookie.read(c)),
      fresh: null,
      form: { values: { name: "", scope: "read", expires: DEFAULT_TERM }, errors: {} },
      ...more,
    };
    return c.html(<AccessPage page={{ ...c.var.page, path: "/settings/access" }} view={view} />, status);
  };

  pages.get("/settings/access", (c) => show(c));

  pages.post("/settings/access", async (c) => {
    const sent = await c.req.parseBody();
    requireKnownFields(sent, ["name", "scope", "expires"]);
    const { name: given = "", scope = "read", expires = DEFAULT_TERM } = sent;
    const secret = newSecret(TOKEN_PREFIX);
    try {
      const name = requireName("token", MAX_NAME, given);
      if (looksLikeOwnActor(name))
        throw invalid("name", `The audit could take ${quote(name)} for another actor: choose another name`);
      // What is not known must not become something else: the token would do more, less or longer than was asked for.
      if (!isScope(scope)) throw invalid("scope", `Wants one of ${SCOPES.join(", ")}`);
      const term = TOKEN_TERMS.find((each) => each === expires);
      if (term === undefined) throw invalid("expires", `Wants one of ${TOKEN_TERMS.join(", ")}`);
      const expiresAt = term === "never" ? null : Date.now() + Number(term) * DAY_MS;
      await saveToken(db, { name, scope, hash: hashSecret(secret), expiresAt });
      return show(c, { fresh: { name, secret } });
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const values = { name: `${given}`, scope: `${scope}`, expires: `${expires}` };
      return show(c, { form: { values, errors: errorsByField(error) } }, error.status);
    }
  });

  pages.post("/settings/access/:id/revoke", async (c) => {
    const id = Number(c.req.param("id"));
    await access.revoke(Number.isSafeInteger(id) ? id : 0);
    return c.redirect("/settings/access", 303);
  });

  pages.post("/settings/access/sessions/end", async (c) => {
    await access.endAllSessions();
    return c.redirect("/settings/access", 303);
  });

  pages.post("/settings/access/sessions/:id/end", async (c) => {
    await access.endSession(c.req.param("id"));
    return c.redirect("/settings/access", 303);
  });

  return pages;
}
