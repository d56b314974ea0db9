// When the page holds its connection for live updates, and where it goes when it may not have one.

(() => {
  const stream = document.getElementById("stream");
  if (!stream) return;

  // A browser has six connections to a server over HTTP/1.1, for all its tabs. htmx lets go of the stream when a tab is
  // hidden; here is what it leaves open: a tab that was never shown, and one that is hidden while it connects.
  const unlessHidden = (event) => {
    if (document.hidden) event.preventDefault();
  };
  stream.addEventListener("htmx:before:request", unlessHidden);
  stream.addEventListener("htmx:sse:before:connection", unlessHidden);
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) window.htmx?.trigger(stream, "shown");
  });

  // Signed out, or the session is over: to the login, and from there back. The login has no stream, so there is no loop.
  const leave = (status) => {
    if (status !== 401) return;
    location.assign(`/login?next=${encodeURIComponent(location.pathname + location.search)}`);
  };
  stream.addEventListener("htmx:response:error", (event) => leave(event.detail.ctx.response.status));
  stream.addEventListener("htmx:sse:error", (event) => leave(event.detail.status));
})();
