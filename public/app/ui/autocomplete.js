// Completes the name under the caret: `[data-complete]` names the list of all names, and the browser's own list offers
// the whole text with that name put in.

(() => {
  const SHOWN = 30;
  document.addEventListener("input", (event) => {
    const field = event.target.closest("[data-complete]");
    if (!field) return;
    const names = [...document.getElementById(field.dataset.complete).options].map((option) => option.value);
    const before = field.value.slice(0, field.selectionStart);
    const after = field.value.slice(field.selectionStart);
    const word = /[a-z_][\w]*$/i.exec(before)?.[0].toLowerCase() ?? "";
    const head = before.slice(0, before.length - word.length);
    const fitting =
      word === "" || /^\w/.test(after) ? [] : names.filter((name) => name !== word && name.includes(word));
    fitting.sort((a, b) => Number(b.startsWith(word)) - Number(a.startsWith(word)));
    const list = document.getElementById(field.getAttribute("list"));
    list.replaceChildren(
      ...fitting
        .slice(0, SHOWN)
        .map((name) => Object.assign(document.createElement("option"), { value: head + name + after })),
    );
  });
})();
