// A fragment that shows something with an address of its own names it in `data-address`: the location follows, so that
// a reload, a link and the way back from another page show the same. No entry is added to the history.

document.addEventListener("htmx:after:swap", ({ target }) => {
  // The stream brings no such fragment, but ten messages a second, and to look through 500 rows takes its time.
  if (target.id === "stream") return;
  const address = document.querySelector("main [data-address]")?.dataset.address;
  if (!address || address === location.pathname + location.search) return;
  history.replaceState(history.state, "", address);
  // What leads back here, as after a change of theme, leads to the same.
  for (const back of document.querySelectorAll('.top [name="back"]')) back.value = address;
});
