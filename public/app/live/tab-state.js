// Says in the title and the icon of the tab how far the run of the page is. A hidden page has no stream: it asks for the
// run now and then, until it has ended.

import { find } from "../ui/dom.js";

/** @typedef {{ status: string, progress: number, counts: { running: number }, limited_until: string | null }} Run */

// Milliseconds between two requests of a hidden tab.
const ASK = 30_000;

/** @type {Readonly<Record<string, string>>} */
const WORDS = { waiting: "Waiting", paused: "Paused", complete: "Complete", failed: "Failed", cancelled: "Cancelled" };
// Of the dot on the icon, on tabs of every colour; a run that is at work has none.
/** @type {Readonly<Record<string, string>>} */
const DOTS = { waiting: "#d98a00", paused: "#d98a00", complete: "#189a54", failed: "#e03131" };

const ENDED = ["complete", "failed", "cancelled"];

/**
 * What is put before a title; empty for nothing.
 * @param {string} state `running`, or a key of `WORDS`
 * @param {number} percent
 */
export const tabWords = (state, percent) =>
  [WORDS[state], ENDED.includes(state) ? undefined : `${Math.floor(percent)}%`].filter(Boolean).join(" ");

/** The state of a run as the API tells it. @param {Run} run */
export const tabState = ({ status, counts, limited_until: until }) =>
  status === "running" && counts.running === 0 && until !== null ? "waiting" : status;

/** The icon with a dot in its corner. @param {string} icon the text of an SVG of 16 units @param {string} colour */
const withDot = (icon, colour) =>
  icon.replace("</svg>", `<circle cx="12" cy="12" r="4" fill="${colour}" stroke="#fff"/></svg>`);

/** Follows the run that is open on the page. */
export function setUpTabState() {
  const stream = find("#stream");
  const link = /** @type {HTMLLinkElement | null} */ (find("link[rel=icon]"));
  if (!stream || !link) return;
  const { title } = document;
  const plainIcon = link.href;
  let shown = "";
  // A run that had ended when the page came is no news.
  let isNews = false;
  /** @type {Promise<string> | undefined} */
  let icon;

  /** @param {string} state */
  const drawDot = async (state) => {
    const colour = DOTS[state];
    icon ??= fetch(plainIcon).then((answer) => answer.text());
    const text = colour && (await icon.catch(() => ""));
    if (shown === state)
      link.href = text ? `data:image/svg+xml,${encodeURIComponent(withDot(text, colour))}` : plainIcon;
  };
  /**
   * @param {string} state empty without a run
   * @param {number} percent
   */
  const show = (state, percent) => {
    const hasEnded = ENDED.includes(state);
    if (state !== "" && !hasEnded) isNews = true;
    const words = state === "" || !isNews ? "" : tabWords(state, percent);
    const next = words === "" ? title : `${words} · ${title}`;
    if (document.title !== next) document.title = next;
    const drawn = words === "" ? "" : state;
    if (drawn === shown) return;
    shown = drawn;
    drawDot(drawn);
  };

  const head = () => find(".run-head");
  const readPage = () => {
    const run = head();
    const percent = Number.parseFloat(find(".run-meter > .num", run ?? undefined)?.textContent ?? "");
    const isWaiting = run?.dataset.state === "running" && find(".pill .icon-waiting", run) !== null;
    show(isWaiting ? "waiting" : (run?.dataset.state ?? ""), percent || 0);
  };
  const ask = async () => {
    const id = head()?.id.replace(/^run-/, "");
    if (!document.hidden || !id || shown === "" || ENDED.includes(shown)) return;
    const address = `${document.documentElement.dataset.base}api/runs/${encodeURIComponent(id)}`;
    const answer = await fetch(address).catch(() => null);
    if (!answer?.ok || !document.hidden) return;
    /** @type {{ run: Run }} */
    const { run } = await answer.json();
    show(tabState(run), run.progress);
  };

  stream.addEventListener("htmx:sse:after:message", readPage);
  setInterval(ask, ASK);
  readPage();
}
