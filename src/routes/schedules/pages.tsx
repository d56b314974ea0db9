/** @jsxImportSource hono/jsx */
/** `/schedules`: list, add, change, pause, run and delete schedules with plain forms, also without JavaScript. */

import { type Context, Hono } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { Refusal } from "../../domain/errors.ts";
import { CRON_PRESETS } from "../../domain/schedules.ts";
import { CronPreview } from "../../views/schedules/cron-preview.tsx";
import type { ScheduleFormView } from "../../views/schedules/schedule-form.tsx";
import { DeleteSchedulePage, SchedulesPage, type SchedulesView } from "../../views/schedules/schedules-page.tsx";
import { compressed } from "../compression.ts";
import { watchlistNames } from "../http/selection-form.ts";
import type { Services } from "../services.ts";
import { cronPreview, scheduleBody, scheduleErrors, scheduleForm, scheduleId, typedSchedule } from "./form.ts";

export function schedulePages(services: Pick<Services, "db" | "schedules" | "settings">) {
  const { schedules } = services;
  const pages = new Hono();
  pages.use("/schedules", compressed);

  const show = async (
    c: Context,
    form: ScheduleFormView,
    flash: SchedulesView["flash"] = null,
    status: ContentfulStatusCode = 200,
  ) => {
    const names = await watchlistNames(services.db);
    const views = (await schedules.list()).map((schedule) => ({
      ...schedule,
      watchlist: names.get(schedule.watchlistId ?? 0) ?? null,
    }));
    const page = { ...c.var.page, path: form.id === null ? "/schedules" : `/schedules/${form.id}` };
    return c.html(<SchedulesPage page={page} view={{ schedules: views, form, flash }} />, status);
  };
  const id = (c: Context) => scheduleId(services, c.req.param("id") ?? "");
  const back = (c: Context) => c.redirect("/schedules", 303);

  /** Saves the form; if it is refused, shows it again with what was typed and the errors. */
  const save = async (c: Context, changed: number | null) => {
    const typed = typedSchedule(await c.req.parseBody());
    try {
      await schedules.save(changed, scheduleBody(typed));
      return back(c);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return show(c, await scheduleForm(services, changed, typed, scheduleErrors(error)), null, error.status);
    }
  };

  pages.post("/schedules/preview", async (c) => {
    const preview = cronPreview(typedSchedule(await c.req.parseBody()));
    return c.html(<CronPreview preview={preview} />);
  });
  pages.post("/schedules/preset", async (c) => {
    const body = await c.req.parseBody();
    const typed = typedSchedule(body);
    const preset = CRON_PRESETS.find(({ key }) => key === body.preset);
    const values = preset ? { ...typed, cron: preset.cron, time_zone: preset.timeZone } : typed;
    const changed = c.req.query("id");
    return show(c, await scheduleForm(services, changed ? await scheduleId(services, changed) : null, values));
  });
  pages.get("/schedules", async (c) => show(c, await scheduleForm(services, null)));
  pages.post("/schedules", (c) => save(c, null));
  pages.get("/schedules/:id", async (c) => show(c, await scheduleForm(services, await id(c))));
  pages.post("/schedules/:id", async (c) => save(c, await id(c)));

  pages.post("/schedules/:id/pause", async (c) => {
    await schedules.change(await id(c), { enabled: false });
    return back(c);
  });
  pages.post("/schedules/:id/resume", async (c) => {
    await schedules.change(await id(c), { enabled: true });
    return back(c);
  });
  pages.post("/schedules/:id/run", async (c) => {
    const scheduleId = await id(c);
    try {
      const { turn } = await schedules.runNow(scheduleId);
      return c.redirect(`/runs/${turn.run?.id}`, 303);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return show(c, await scheduleForm(services, null), { level: "error", text: error.message }, error.status);
    }
  });
  pages.get("/schedules/:id/delete", async (c) => {
    const schedule = await schedules.read(await id(c));
    return c.html(<DeleteSchedulePage page={c.var.page} schedule={schedule} />);
  });
  pages.post("/schedules/:id/delete", async (c) => {
    await schedules.remove(await id(c));
    return back(c);
  });

  return pages;
}
