/** @jsxImportSource hono/jsx */
/** `/alerts/channels`: adds, changes, tests and deletes the channels that get alerts besides mail. */

import { type Context, Hono } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import type { ChannelState } from "../../alerts/channels/channel-dispatcher.ts";
import { ALERT_KINDS, CHANNEL_KINDS, DEFAULT_ALERT_RULES } from "../../domain/alerts.ts";
import { Refusal } from "../../domain/errors.ts";
import {
  type ChannelFields,
  type ChannelSummary,
  ChannelsPage,
  type ChannelsView,
} from "../../views/alerts/channels-page.tsx";
import { errorsByField, requireKnownFields } from "../form-errors.ts";
import type { Services } from "../services.ts";
import { ALERT_FIELDS, fieldsOf, readAlertFields, rulesOf } from "./rules-form.ts";

const DONE = {
  saved: "Saved; the rules hold from now on",
  test: "The test message is on its way: its state is under Alerts",
  deleted: "The channel was deleted, with its messages",
} as const;

const summaryOf = ({ rules, id, name, kind, host, enabled, unreadable, fault }: ChannelState): ChannelSummary => ({
  ...{ id, name, kind, host, enabled, unreadable, fault },
  on: ALERT_KINDS.filter((each) => rules.on[each]),
});

/** What a new channel begins with. */
const EMPTY: ChannelFields = {
  ...{ name: "", kind: "webhook", url: "", secret: "", place: "", enabled: "on" },
  ...fieldsOf(DEFAULT_ALERT_RULES),
};

export function channelPages({ channels }: Pick<Services, "channels">) {
  const pages = new Hono();

  const find = (id: string): ChannelState => {
    const found = channels.list().find((each) => each.id === id);
    if (found === undefined) throw new Refusal("not_found", "There is no such channel");
    return found;
  };
  const show = (c: Context, more: Partial<ChannelsView> = {}, status: ContentfulStatusCode = 200) => {
    const view: ChannelsView = {
      channels: channels.list().map(summaryOf),
      fields: EMPTY,
      errors: {},
      changed: null,
      keepsSecrets: channels.keepsSecrets,
      flash: null,
      ...more,
    };
    return c.html(<ChannelsPage page={{ ...c.var.page, path: "/alerts/channels" }} view={view} />, status);
  };
  const done = (c: Context, what: keyof typeof DONE) => c.redirect(`/alerts/channels?done=${what}`, 303);

  pages.get("/alerts/channels", (c) => {
    const what = c.req.query("done") ?? "";
    const text = Object.hasOwn(DONE, what) ? DONE[what as keyof typeof DONE] : null;
    return show(c, { flash: text === null ? null : { level: "info", text } });
  });

  pages.get("/alerts/channels/:id", (c) => {
    const { rules, name, kind, place, enabled, ...state } = find(c.req.param("id"));
    const own = { name, kind, place, url: "", secret: "", enabled: enabled ? "on" : "" };
    return show(c, {
      fields: { ...fieldsOf(rules), ...own },
      changed: summaryOf({ ...state, rules, name, kind, place, enabled }),
    });
  });

  const save = async (c: Context, id: string | null) => {
    const changed = id === null ? null : summaryOf(find(id));
    const sent = await c.req.parseBody({ all: true });
    requireKnownFields(sent, [...ALERT_FIELDS, "name", "kind", "url", "secret", "place", "enabled"]);
    const text = (name: string, most: number) => {
      const value = [sent[name]].flat().at(-1);
      return typeof value === "string" ? value.trim().slice(0, most) : "";
    };
    // The level of quotas and the time of the summary are those of the alerts page.
    const own = readAlertFields({ ...sent, quota_percent: String(DEFAULT_ALERT_RULES.quotaPercent) });
    const fields: ChannelFields = {
      ...own,
      name: text("name", 1_000),
      kind: text("kind", 20),
      url: text("url", 1_000),
      secret: text("secret", 500),
      place: text("place", 100),
      enabled: text("enabled", 2),
    };
    try {
      const kind = CHANNEL_KINDS.find((each) => each === fields.kind);
      if (kind === undefined) {
        const message = `Wants one of ${CHANNEL_KINDS.join(", ")}`;
        throw new Refusal("invalid", message, [{ path: "kind", message }]);
      }
      const { name, url, secret, place } = fields;
      await channels.save(id, {
        ...{ name, kind, target: { url, secret, place } },
        rules: rulesOf(own),
        enabled: fields.enabled === "on",
      });
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      // Neither the address nor the key goes back to the browser: they must be entered again.
      const shown = { ...fields, url: "", secret: "" };
      const flash = { level: "error", text: `Nothing was saved: ${error.message}` } as const;
      return show(c, { fields: shown, errors: errorsByField(error), changed, flash }, error.status);
    }
    return done(c, "saved");
  };

  pages.post("/alerts/channels", (c) => save(c, null));
  pages.post("/alerts/channels/:id", (c) => save(c, c.req.param("id")));

  pages.post("/alerts/channels/:id/test", async (c) => {
    await channels.sendTest(c.req.param("id"));
    return done(c, "test");
  });

  pages.post("/alerts/channels/:id/delete", async (c) => {
    await channels.remove(c.req.param("id"));
    return done(c, "deleted");
  });

  return pages;
}
