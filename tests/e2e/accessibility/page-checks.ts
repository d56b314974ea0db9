/** What is judged in the page itself, as text: pages have no types here. */

/** For all runs of axe: a page has no frames, and its styles are there. */
export const LEAN = { selectors: false, iframes: false, preload: false } as const;

/**
 * In the page: removes what has two others of the same shape in the same place, as the rows of a table have, since axe
 * judges it as those; so, too, what `judged` has of the parts around the content. First it finds what depends on all of
 * them: ids that occur twice, references to no element, and areas that scroll but not by keyboard.
 */
export const WITHOUT_REPETITION = `async (judged, valued) => {
  const all = [...document.querySelectorAll("body *")];
  const ids = all.map(({ id }) => id).filter((id) => id !== "");
  const known = new Set(ids);
  const REFERENCES = ["for", "aria-labelledby", "aria-describedby", "aria-controls"];
  const references = all.flatMap((each) => REFERENCES.flatMap((name) => each.getAttribute(name)?.split(" ") ?? []));
  const scrolled = all.filter((each) => {
    const [x, y] = [each.scrollWidth > each.clientWidth, each.scrollHeight > each.clientHeight];
    if (!x && !y) return false;
    const { overflowX, overflowY } = getComputedStyle(each);
    return (x && /auto|scroll/.test(overflowX)) || (y && /auto|scroll/.test(overflowY));
  });
  const options = { ...${JSON.stringify(LEAN)}, runOnly: ["scrollable-region-focusable"] };
  const { violations } = scrolled.length === 0 ? { violations: [] } : await axe.run({ include: scrolled }, options);
  const found = [
    ...(known.size < ids.length ? ids.filter((id, at) => ids.indexOf(id) < at).map((id) => "has twice the id " + id) : []),
    ...references.filter((id) => !known.has(id)).map((id) => "has nothing with the id " + id),
    ...violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => id + ": " + html.slice(0, 160))),
  ];

  const isValued = (name) =>
    valued.includes(name) || (name.startsWith("aria-") && name !== "aria-label" && !REFERENCES.includes(name));
  const numbers = new Map();
  /** A number for everything that is written the same. */
  const numberOf = (text) => {
    if (!numbers.has(text)) numbers.set(text, numbers.size);
    return numbers.get(text);
  };
  const shapes = new Map();
  /** Equal for elements as visible, with texts in the same places, and the same values of what styles and rules look at. */
  const shapeOf = (element, label) => {
    const parts = [element.localName, element.checkVisibility()];
    for (const { name, value } of element.attributes) parts.push(name + "=" + (isValued(name) ? value : value !== ""));
    for (const child of element.childNodes) {
      if (child.nodeType === 1) parts.push(shapeOf(child, label));
      else if (child.nodeType === 3 && child.data.trim() !== "") parts.push("text");
    }
    const shape = label(parts.join("|"));
    shapes.set(element, shape);
    return shape;
  };

  const root = document.documentElement;
  const page = [document.styleSheets.length, ...[...root.attributes].map(({ name, value }) => name + "=" + value)].join();
  const parts = [...document.querySelectorAll("body > :not(main, header), header.top > *")].map((part) => {
    const key = page + " " + part.parentElement.localName + " > " + shapeOf(part, (text) => "(" + text + ")");
    if (judged.includes(key)) part.remove();
    return key;
  });

  shapeOf(document.body, numberOf);
  const counts = new Map();
  const prune = (parent, place) => {
    for (const child of [...parent.children]) {
      const own = numberOf(place + " > " + child.localName + "." + child.className);
      const key = own + ":" + shapes.get(child);
      const count = (counts.get(key) ?? 0) + 1;
      counts.set(key, count);
      if (count > 2 && child.matches("li, tr, article, section, details, form, fieldset")) child.remove();
      else prune(child, own);
    }
  };
  prune(document.body, 0);
  return { found, parts };
}`;

/**
 * In the page: texts by everything that their contrast depends on: colours, size, and whether their control is disabled. Of
 * each combination that is not among `known` a few are checked, as all others on all pages are the same; returns the
 * violations, and the combinations that were tried, and of which one was judged.
 */
export const CONTRASTS = `async (known) => {
  const [keys, under, checked] = [new Map(), new Map(), new Set(known)];
  /** What an element is painted on, the page included. */
  const ground = (element) => {
    if (element === null) return "";
    if (!under.has(element)) {
      const style = getComputedStyle(element);
      const own = [style.backgroundColor, style.backgroundImage, style.opacity, style.filter, style.mixBlendMode].join();
      const below = ground(element.parentElement);
      under.set(element, own === "rgba(0, 0, 0, 0),none,1,none,normal" ? below : own + " / " + below);
    }
    return under.get(element);
  };
  const chosen = [];
  const often = new Map();
  for (const element of document.querySelectorAll("body, body *")) {
    const hasText = [...element.childNodes].some(({ nodeType, data }) => nodeType === 3 && data.trim() !== "");
    if ((!hasText && !element.matches("input, select, textarea")) || !element.checkVisibility()) continue;
    const { color, fontSize, fontWeight, textShadow } = getComputedStyle(element);
    const isDisabled = element.closest(":disabled, [aria-disabled=true]") !== null;
    const ofDisabled = element.closest("label")?.control?.disabled === true;
    const key = [color, fontSize, fontWeight, textShadow, isDisabled, ofDisabled, ground(element)].join("; ");
    if (checked.has(key) || often.get(key) === 4) continue;
    // What is there for screen readers alone is one pixel wide; asked last, because it needs the layout.
    if (element.getBoundingClientRect().width < 2) continue;
    often.set(key, (often.get(key) ?? 0) + 1);
    keys.set(element, key);
    chosen.push(element);
  }
  if (chosen.length === 0) return { violations: [], judged: [], tried: [] };
  const options = { ...${JSON.stringify(LEAN)}, runOnly: ["color-contrast"], elementRef: true };
  const { violations, passes } = await axe.run({ include: chosen }, options);
  const judged = [...violations, ...passes].flatMap(({ nodes }) => nodes.map(({ element }) => keys.get(element)));
  return {
    violations: violations.map(({ id, nodes }) => ({ id, nodes: nodes.map(({ html }) => ({ html })) })),
    judged: judged.filter((key) => key !== undefined),
    tried: [...new Set(keys.values())],
  };
}`;

/** In the page: texts with a time of day that name no zone, but for logs and columns, which name it above. */
export const ZONELESS = `[...document.querySelectorAll("main :not(script, option, code, pre, [data-moment=bare], [data-moment=column])")]
  .filter((element) => element.checkVisibility())
  .flatMap(({ childNodes }) => [...childNodes].filter(({ nodeType }) => nodeType === 3))
  .map(({ textContent }) => textContent)
  .filter((text) => /\\b\\d\\d:\\d\\d\\b/.test(text) && !/UTC|E[SD]T| in [A-Z][a-z]+\\//.test(text))`;
