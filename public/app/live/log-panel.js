// The log follows what happens: new lines come in at its head, old ones leave at its end. Once the reader has scrolled
// away, what is being read stays where it is, and a button counts the lines that came.

(() => {
  const stream = document.getElementById("stream");
  const lines = document.getElementById("log-lines");
  if (!stream || !lines) return;
  const keep = Number(lines.dataset.keep);
  // As many more may gather while somebody reads.
  const GATHERED = 5;
  let away = false;
  // What was the newest line when the reader left, and the height of all before the next came.
  let newest = null;
  let height = 0;

  const button = document.createElement("button");
  button.type = "button";
  button.className = "log-news button";
  button.hidden = true;
  lines.before(button);

  const trim = (most) => {
    while (lines.childElementCount > most) lines.lastElementChild.remove();
  };
  const count = () => {
    let came = 0;
    for (let line = lines.firstElementChild; line && line !== newest; line = line.nextElementSibling) came++;
    button.textContent = `${came} new ${came === 1 ? "line" : "lines"}: follow`;
    button.hidden = came === 0;
  };

  lines.addEventListener("scroll", () => {
    const now = lines.scrollTop > 8;
    if (now === away) return;
    away = now;
    newest = lines.firstElementChild;
    button.hidden = true;
    if (!away) trim(keep);
  });
  button.addEventListener("click", () => {
    lines.scrollTop = 0;
    lines.focus();
  });
  stream.addEventListener("htmx:sse:before:message", () => {
    if (away) height = lines.scrollHeight;
  });
  stream.addEventListener("htmx:sse:after:message", () => {
    if (!away) return trim(keep);
    const grown = lines.scrollHeight - height;
    if (grown === 0) return;
    lines.scrollTop += grown;
    trim(GATHERED * keep);
    count();
  });
})();
