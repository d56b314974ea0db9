// Desktop notifications for readers who have asked for them. One hidden tab follows the server, and shows what it gets only
// while no page of Barkeep is visible.

import { find, findAll } from "../ui/dom.js";
import { CHOICE, readChoice, saveChoice } from "./notification-choice.js";
import { NotificationStream } from "./notification-stream.js";

/** @import { Notice } from "./notification-stream.js" */

// Held by the tab that follows the server, and by every visible tab.
const FOLLOWING = "barkeep-following";
const VISIBLE = "barkeep-visible";

/** @returns {NodeListOf<HTMLInputElement>} */
const kindBoxes = () => findAll("[name=notification-kind]");

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
  if (document.documentElement.dataset.scope === "none") return;
  const notifications = new Notifications();
  document.addEventListener("click", ({ target }) => {
    const button = target instanceof Element ? target.closest("[data-notifications]") : null;
    const what = button instanceof HTMLElement ? button.dataset.notifications : undefined;
    if (what === "accept" || (what === "toggle" && !notifications.isOn)) void notifications.turnOn();
    else if (what === "decline" || what === "toggle") notifications.turnOff();
  });
  document.addEventListener("change", ({ target }) => {
    if (!(target instanceof HTMLInputElement) || target.name !== "notification-kind") return;
    saveChoice({ on: true, without: [...kindBoxes()].filter(({ checked }) => !checked).map(({ value }) => value) });
  });
  // Another tab has decided.
  window.addEventListener("storage", ({ key }) => {
    if (key === CHOICE) notifications.refresh();
  });
  document.addEventListener("visibilitychange", () => notifications.update());
  notifications.refresh();
}

class Notifications {
  /** Why a notification could not be shown; empty if none has failed. */
  #broken = "";
  /** Only the monitor has a place for the offer. */
  #place = find(".monitor-side");
  #offer = find("[data-notifications=offer]");
  /** What this tab does now, and what ends it. @type {{ hidden: boolean, end: AbortController } | null} */
  #present = null;

  constructor() {
    if (this.#place && this.#offer) this.#place.prepend(this.#offer);
  }

  get isOn() {
    return readChoice()?.on === true && obstacle() === "" && Notification.permission === "granted";
  }

  async turnOn() {
    // The browser asks the reader, unless they have answered before.
    const permission = await Notification.requestPermission();
    if (permission === "granted") {
      saveChoice({ on: true, without: readChoice()?.without ?? [] });
      this.#show({
        kind: "",
        title: "Notifications are on",
        body: "From now on Barkeep tells you here.",
        path: "settings",
        tag: CHOICE,
      });
    }
    this.refresh();
  }

  turnOff() {
    saveChoice({ on: false, without: readChoice()?.without ?? [] });
    this.refresh();
  }

  refresh() {
    this.#draw();
    this.update();
  }

  /** Begins or ends to follow the server, by the choice and by whether this tab is hidden. */
  update() {
    const { isOn } = this;
    const { hidden } = document;
    if (this.#present !== null && isOn && this.#present.hidden === hidden) return;
    this.#present?.end.abort();
    this.#present = null;
    if (!isOn) return;
    const end = new AbortController();
    const { signal } = end;
    this.#present = { hidden, end };
    const held = hidden
      ? navigator.locks.request(FOLLOWING, { signal }, () => this.#follow(signal))
      : navigator.locks.request(VISIBLE, { signal, mode: "shared" }, () => untilAborted(signal));
    // It was aborted before the lock was free.
    held.catch(() => {});
  }

  /** Shows what the server sends until `signal` aborts. @param {AbortSignal} signal */
  #follow(signal) {
    return new NotificationStream(async (notice) => {
      if (readChoice()?.without.includes(notice.kind)) return;
      const { held = [] } = await navigator.locks.query();
      if (!signal.aborted && !held.some(({ name }) => name === VISIBLE)) this.#show(notice);
    }).follow(signal);
  }

  /** @param {Notice} notice */
  #show({ title, body, tag, path }) {
    try {
      const shown = new Notification(title, { body, tag });
      shown.onclick = () => {
        shown.close();
        window.focus();
        location.assign(`${document.documentElement.dataset.base}${path}`);
      };
    } catch {
      // Some browsers for phones show them only for pages with a service worker.
      this.#broken = "This browser shows no notifications of pages.";
      this.#draw();
    }
  }

  /** Shows on the page what is chosen, and what can be. */
  #draw() {
    const choice = readChoice();
    const fault = this.#broken || obstacle();
    const on = this.isOn && this.#broken === "";
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
    for (const box of kindBoxes()) box.checked = !choice?.without.includes(box.value);
    if (this.#offer !== null) this.#offer.hidden = this.#place === null || choice !== null || fault !== "";
  }
}

/** @param {AbortSignal} signal @returns {Promise<void>} */
const untilAborted = (signal) =>
  new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
