/** @jsxImportSource hono/jsx */
/** `/promises`: list, add, change, pause and delete promises with plain forms, also without JavaScript. */

import { type Context, Hono } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { Refusal } from "../../domain/errors.ts";
import { type PromiseFormView, PromisePreview } from "../../views/promises/promise-form.tsx";
import { DeletePromisePage, PromisesPage } from "../../views/promises/promises-page.tsx";
import { ReaderZone } from "../../views/ui/components.tsx";
import { compressed } from "../compression.ts";
import { watchlistNames } from "../http/selection-form.ts";
import { wantsFragment } from "../page-context.ts";
import {
  type PromiseFormServices,
  promiseBody,
  promiseErrors,
  promiseForm,
  promiseId,
  promisePreview,
  typedPromise,
} from "./form.ts";

export function promisePages(services: PromiseFormServices) {
  const { db, promises } = services;
  const pages = new Hono();
  pages.use("/promises", compressed);

  const show = async (c: Context, form: PromiseFormView, status: ContentfulStatusCode = 200) => {
    const names = await watchlistNames(db);
    const views = (await promises.list()).map((each) => ({
      ...each,
      watchlist: names.get(each.promise.watchlistId ?? 0) ?? null,
    }));
    const page = { ...c.var.page, path: form.id === null ? "/promises" : `/promises/${form.id}` };
    return c.html(<PromisesPage page={page} view={{ promises: views, form }} />, status);
  };
  const id = (c: Context) => promiseId(services, c.req.param("id") ?? "");
  const back = (c: Context) => c.redirect("/promises", 303);

  /** Saves the form; if it is refused, shows it again with what was typed and the errors. */
  const save = async (c: Context, changed: number | null) => {
    const typed = typedPromise(await c.req.parseBody());
    try {
      await promises.save(changed, promiseBody(typed));
      return back(c);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return show(c, await promiseForm(services, changed, typed, promiseErrors(error)), error.status);
    }
  };

  pages.post("/promises/preview", async (c) => {
    const typed = typedPromise(await c.req.parseBody());
    if (!wantsFragment(c)) {
      const changed = c.req.query("id");
      return show(c, await promiseForm(services, changed ? await promiseId(services, changed) : null, typed));
    }
    const preview = await promisePreview(services, typed);
    return c.html(
      <ReaderZone.Provider value={c.var.page.timeZone}>
        <PromisePreview preview={preview} />
      </ReaderZone.Provider>,
    );
  });
  pages.get("/promises", async (c) => show(c, await promiseForm(services, null)));
  pages.post("/promises", (c) => save(c, null));
  pages.get("/promises/:id", async (c) => show(c, await promiseForm(services, await id(c))));
  pages.post("/promises/:id", async (c) => save(c, await id(c)));

  pages.post("/promises/:id/pause", async (c) => {
    await promises.change(await id(c), { enabled: false });
    return back(c);
  });
  pages.post("/promises/:id/resume", async (c) => {
    await promises.change(await id(c), { enabled: true });
    return back(c);
  });
  pages.get("/promises/:id/delete", async (c) => {
    const { promise } = await promises.read(await id(c));
    return c.html(<DeletePromisePage page={c.var.page} promise={promise} />);
  });
  pages.post("/promises/:id/delete", async (c) => {
    await promises.remove(await id(c));
    return back(c);
  });

  return pages;
}
