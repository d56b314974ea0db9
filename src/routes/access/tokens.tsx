/** @jsxImportSource hono/jsx */
/** `/settings/access`: creates, lists and revokes API tokens. A token is shown once. */

import { type Context, Hono } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { hashSecret, newSecret, TOKEN_PREFIX } from "../../auth.ts";
import { isScope } from "../../domain/access.ts";
import { hasControlCharacters, Refusal } from "../../domain/errors.ts";
import { listTokens, saveToken } from "../../storage/access/tokens.ts";
import { AccessPage, type AccessView } from "../../views/access/tokens-page.tsx";
import type { Services } from "../services.ts";
import type { Authenticator } from "./authenticator.ts";

/** Longest name of a token, characters. */
const MAX_NAME = 60;

export function tokenPages({ db }: Pick<Services, "db">, access: Authenticator) {
  const pages = new Hono();
  const show = async (c: Context, more: Partial<AccessView> = {}, status: ContentfulStatusCode = 200) => {
    const view: AccessView = {
      tokens: await listTokens(db),
      fresh: null,
      form: { values: { name: "", scope: "read" }, errors: {} },
      ...more,
    };
    return c.html(<AccessPage page={{ ...c.var.page, path: "/settings/access" }} view={view} />, status);
  };

  pages.get("/settings/access", (c) => show(c));

  pages.post("/settings/access", async (c) => {
    const { name: given, scope: asked } = await c.req.parseBody();
    const name = typeof given === "string" ? given.trim() : "";
    const scope = isScope(asked) ? asked : "read";
    const secret = newSecret(TOKEN_PREFIX);
    try {
      if (name === "") throw new Refusal("invalid", "Give the token a name");
      if (name.length > MAX_NAME) throw new Refusal("invalid", `The name is longer than ${MAX_NAME} characters`);
      if (hasControlCharacters(name)) throw new Refusal("invalid", "The name has line breaks or control characters");
      await saveToken(db, { name, scope, hash: hashSecret(secret) });
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return show(c, { form: { values: { name, scope }, errors: { name: error.message } } }, error.status);
    }
    return show(c, { fresh: { name, secret } });
  });

  pages.post("/settings/access/:id/revoke", async (c) => {
    const id = Number(c.req.param("id"));
    await access.revoke(Number.isSafeInteger(id) ? id : 0);
    return c.redirect("/settings/access", 303);
  });

  return pages;
}
