// Decides when a page may connect for live updates, and redirects it when its session has ended.

import { find } from "../ui/dom.js";

/** Prevents hidden tabs from connecting, and goes to the login when the session has ended. */
export function setUpConnection() {
  const stream = find("#stream");
  if (!stream) return;

  // A browser has six connections to a server over HTTP/1.1, for all its tabs. htmx closes the stream when a tab is
  // hidden; this covers a tab that was never shown, and one that is hidden while it connects.
  /** @param {Event} event */
  const unlessHidden = (event) => {
    if (document.hidden) event.preventDefault();
  };
  stream.addEventListener("htmx:before:request", unlessHidden);
  stream.addEventListener("htmx:sse:before:connection", unlessHidden);
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) stream.firstElementChild && window.htmx?.trigger(stream.firstElementChild, "shown");
  });

  // Signed out, or the session has ended: to the login and back. The login page has no stream, so there is no loop.
  /** @param {number | undefined} status of the answer */
  const leave = (status) => {
    if (status !== 401) return;
    location.assign(
      `${document.documentElement.dataset.base}login?next=${encodeURIComponent(location.pathname + location.search)}`,
    );
  };
  stream.addEventListener("htmx:response:error", ({ detail }) => leave(detail.ctx.response?.status));
  stream.addEventListener("htmx:sse:error", ({ detail }) => leave(detail.status));
}
