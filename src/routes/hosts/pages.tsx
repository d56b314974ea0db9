/** @jsxImportSource hono/jsx */
/** `/hosts`: the machines that do jobs; draining and stopping one after a question. */

import { type Context, Hono } from "hono";
import { queuePlaceName } from "../../config/places.ts";
import { Refusal } from "../../domain/errors.ts";
import type { HostList } from "../../scheduler/hosts/host-list.ts";
import { record } from "../../storage/access/audit.ts";
import { HostsPage, type HostsView } from "../../views/hosts.tsx";
import { ConfirmPage, type ConfirmView } from "../../views/ui/confirm-dialog.tsx";
import { plural } from "../../views/ui/format.ts";
import { isAdmin } from "../page-context.ts";
import type { Services } from "../services.ts";
import { actOnHost, HOST_ACTIONS, type HostAction } from "./actions.ts";

type HostServices = Pick<Services, "config" | "db" | "dispatcher" | "hosts" | "queue">;

export function hostPages(services: HostServices, hostList: HostList) {
  const { config, db, dispatcher, hosts, queue } = services;
  const pages = new Hono();

  const show = (c: Context, flash: string | null = null, status: 200 | 404 = 200) => {
    const view: HostsView = {
      hosts: hostList.list(),
      drained: hosts.drainedElsewhere(),
      queue: {
        isOutside: config.queue !== undefined,
        place: config.queue === undefined || !isAdmin(c) ? null : queuePlaceName(config.queue),
        trouble: queue.trouble(),
        ...dispatcher.counts(),
      },
      isAdmin: isAdmin(c),
      flash,
    };
    return c.html(<HostsPage page={{ ...c.var.page, path: "/hosts" }} view={view} />, status);
  };
  const back = (c: Context) => c.redirect("/hosts", 303);

  pages.get("/hosts", (c) => show(c));

  pages.post("/hosts/forget", async (c) => {
    const { name } = await c.req.parseBody();
    hosts.forget(typeof name === "string" ? name : "");
    await record(db, { action: "host.forget", subject: String(name) });
    return back(c);
  });

  pages.post("/hosts/resume", async (c) => {
    const { name } = await c.req.parseBody();
    await hosts.resume(typeof name === "string" ? name : "");
    dispatcher.poll();
    await record(db, { action: "host.resume", subject: String(name) });
    return back(c);
  });

  pages.post("/hosts/:id/:action", async (c) => {
    const action = HOST_ACTIONS.find((each) => each === c.req.param("action"));
    if (action === undefined) return c.notFound();
    const host = hostList.list().find(({ id }) => String(id) === c.req.param("id"));
    if (host === undefined || host.id === null) return show(c, "This worker has left, or is lost", 404);
    const { expect } = await c.req.parseBody();
    if (action !== "resume" && expect !== String(host.id)) {
      const dialog = question(action, { id: host.id, name: host.name, jobs: host.jobs });
      return c.html(<ConfirmPage page={{ ...c.var.page, path: "/hosts" }} dialog={dialog} />);
    }
    try {
      await actOnHost(services, host.id, action);
    } catch (error) {
      if (!(error instanceof Refusal) || error.kind !== "not_found") throw error;
    }
    return back(c);
  });

  return pages;
}

function question(
  action: Exclude<HostAction, "resume">,
  { id, name, jobs }: { readonly id: number; readonly name: string; readonly jobs: number },
): ConfirmView {
  const atWork = plural(jobs, "job is at work there", "jobs are at work there");
  const common = { action: `/hosts/${id}/${action}`, expect: id, back: "/hosts", no: "Keep it working" };
  return action === "drain"
    ? {
        ...common,
        title: `Let ${name} take no more jobs?`,
        facts: [
          `${atWork}, and come to their end.`,
          "It stays connected and takes no jobs until it is resumed, also after it or the server was started again.",
        ],
        yes: "Drain",
      }
    : {
        ...common,
        title: `Stop the worker on ${name}?`,
        facts: [
          `${atWork}: what is under way is stored, then other hosts go on with them.`,
          "Its process ends. To have it back, start it there.",
        ],
        yes: "Stop the worker",
      };
}
