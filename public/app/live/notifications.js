// Desktop notifications for readers who have asked for them. One hidden tab follows the server, and shows what it gets only
// while no page of Barkeep is visible. The choice is kept in this browser.

import { find, findAll } from "../ui/dom.js";

/** @typedef {{ kind: string, title: string, body: string, path: string, tag: string }} Notice */

const CHOICE = "barkeep-notifications";
// Held by the tab that follows the server, and by every visible tab.
const FOLLOWING = "barkeep-following";
const VISIBLE = "barkeep-visible";
// Milliseconds without a message after which a connection is taken for broken; the server sends one every 20 s.
const SILENT = 60_000;

/** @typedef {{ on: boolean, without: readonly string[] }} Choice */

/** What the reader has decided; `null` if nothing yet, or if the browser keeps nothing. @returns {Choice | null} */
function readChoice() {
  try {
    const kept = JSON.parse(localStorage.getItem(CHOICE) ?? "null");
    // Another version, or somebody by hand, may have kept something else there.
    if (typeof kept?.on !== "boolean") return null;
    return { on: kept.on, without: Array.isArray(kept.without) ? kept.without : [] };
  } catch {
    return null;
  }
}

/** @param {Choice} choice */
function keepChoice(choice) {
  try {
    localStorage.setItem(CHOICE, JSON.stringify(choice));
  } catch {
    // A browser that keeps nothing for this site forgets it with the page.
  }
}

/** Why this browser cannot show any; empty if it can. */
function obstacle() {
  if (!window.isSecureContext)
    return "This browser shows them only for pages over HTTPS, or of this machine by the name localhost.";
  if (!("Notification" in window) || navigator.locks === undefined) return "This browser shows no notifications.";
  if (Notification.permission === "denied")
    return "They are blocked for this site: allow notifications in the settings of the browser.";
  return "";
}

/** Offers notifications, and follows the server for those who have accepted. */
export function setUpNotifications() {
  const { scope, base } = document.documentElement.dataset;
  if (scope === "none") return;
  let broken = "";
  // Only the monitor has a place for the offer.
  const offer = find("[data-notifications=offer]");
  const place = find(".monitor-side");
  if (place && offer) place.prepend(offer);

  const isOn = () => readChoice()?.on === true && obstacle() === "" && Notification.permission === "granted";

  /** @param {Notice} notice */
  const show = (notice) => {
    try {
      const { title, body, tag, path } = notice;
      const shown = new Notification(title, { body, tag });
      shown.onclick = () => {
        shown.close();
        window.focus();
        location.assign(`${base}${path}`);
      };
    } catch {
      // Some browsers for phones show them only for pages with a service worker.
      broken = "This browser shows no notifications of pages.";
      draw();
    }
  };

  /** Shows what the server sends until `signal` aborts. @param {AbortSignal} signal */
  const follow = (signal) => {
    /** @type {PromiseWithResolvers<void>} */
    const ended = Promise.withResolvers();
    /** @type {EventSource | null} */
    let source = null;
    let last = "";
    let lastSignal = performance.now();
    const connect = () => {
      source?.close();
      lastSignal = performance.now();
      source = new EventSource(`${base}events/notifications?since=${encodeURIComponent(last)}`);
      source.addEventListener("heartbeat", ({ lastEventId }) => {
        last = lastEventId;
        lastSignal = performance.now();
      });
      source.addEventListener("notification", async ({ data, lastEventId }) => {
        last = lastEventId;
        lastSignal = performance.now();
        /** @type {Notice} */
        const notice = JSON.parse(data);
        if (readChoice()?.without.includes(notice.kind)) return;
        const { held = [] } = await navigator.locks.query();
        if (!signal.aborted && !held.some(({ name }) => name === VISIBLE)) show(notice);
      });
    };
    const watch = setInterval(() => performance.now() - lastSignal > SILENT && connect(), SILENT / 2);
    signal.addEventListener("abort", () => {
      clearInterval(watch);
      source?.close();
      ended.resolve();
    });
    connect();
    return ended.promise;
  };

  /** Holds a lock while `signal` is not aborted. @param {AbortSignal} signal */
  const hold = (signal) =>
    /** @type {Promise<void>} */ (
      new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }))
    );

  /** What this tab does now, and what ends it. @type {{ hidden: boolean, end: AbortController } | null} */
  let present = null;
  const update = () => {
    if (present !== null && isOn() && present.hidden === document.hidden) return;
    present?.end.abort();
    present = null;
    if (!isOn()) return;
    const end = new AbortController();
    const { signal } = end;
    present = { hidden: document.hidden, end };
    const held = document.hidden
      ? navigator.locks.request(FOLLOWING, { signal }, () => follow(signal))
      : navigator.locks.request(VISIBLE, { signal, mode: "shared" }, () => hold(signal));
    // It was aborted before the lock was free.
    held.catch(() => {});
  };

  /** Shows on the page what is chosen, and what can be. */
  function draw() {
    const choice = readChoice();
    const fault = broken || obstacle();
    const on = isOn() && broken === "";
    /** @param {string} name @returns {HTMLElement | null} */
    const part = (name) => find(`[data-notifications=${name}]`);
    const state = part("state");
    if (state !== null)
      state.textContent = fault || (on ? "They are on in this browser." : "They are off in this browser.");
    const toggle = part("toggle");
    if (toggle !== null) {
      toggle.hidden = fault !== "";
      toggle.textContent = on ? "Turn off notifications" : "Turn on notifications";
    }
    const kinds = part("kinds");
    if (kinds !== null) kinds.hidden = !on;
    for (const box of /** @type {NodeListOf<HTMLInputElement>} */ (findAll("[name=notification-kind]")))
      box.checked = !choice?.without.includes(box.value);
    if (offer !== null) offer.hidden = place === null || choice !== null || fault !== "";
  }

  const turnOn = async () => {
    // The browser asks the reader, unless they have answered before.
    const permission = await Notification.requestPermission();
    if (permission === "granted") {
      keepChoice({ on: true, without: readChoice()?.without ?? [] });
      show({
        kind: "",
        title: "Notifications are on",
        body: "From now on Barkeep tells you here.",
        path: "settings",
        tag: CHOICE,
      });
    }
    draw();
    update();
  };
  const turnOff = () => {
    keepChoice({ on: false, without: readChoice()?.without ?? [] });
    draw();
    update();
  };

  document.addEventListener("click", ({ target }) => {
    const button = target instanceof Element ? target.closest("[data-notifications]") : null;
    const what = button instanceof HTMLElement ? button.dataset.notifications : undefined;
    if (what === "accept" || (what === "toggle" && !isOn())) void turnOn();
    else if (what === "decline" || what === "toggle") turnOff();
  });
  document.addEventListener("change", ({ target }) => {
    if (!(target instanceof HTMLInputElement) || target.name !== "notification-kind") return;
    const boxes = /** @type {NodeListOf<HTMLInputElement>} */ (findAll("[name=notification-kind]"));
    keepChoice({ on: true, without: [...boxes].filter(({ checked }) => !checked).map(({ value }) => value) });
  });
  // Another tab has decided.
  window.addEventListener("storage", ({ key }) => {
    if (key !== CHOICE) return;
    draw();
    update();
  });
  document.addEventListener("visibilitychange", update);
  draw();
  update();
}
