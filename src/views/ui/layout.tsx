/** @jsxImportSource hono/jsx */
/** The document around every page: head, navigation, and the elements that live updates need. */

import type { Child } from "hono/jsx";
import { maySend, type Scope } from "../../domain/access.ts";
import { consequenceOf, type QueueTrouble, type StorageTrouble } from "../../domain/errors.ts";
import { EXCHANGE_TIME_ZONE, ZONES, type Zone, zoneTitle } from "../../domain/time.ts";
import { SearchLink } from "./command-palette.tsx";
import { Icon, Moment, ReaderZone } from "./components.tsx";
import { dom } from "./dom.ts";
import { ReaderScope } from "./forms/allowed.tsx";

export const THEMES = ["system", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];

/** The request and the reader of a page; routes pass it on as `c.var.page`. */
export interface PageContext {
  /** The path of the page, to mark it in the navigation and to return to. */
  readonly path: string;
  readonly theme: Theme;
  /** The zone that the reader chose, and the time zone that it means. */
  readonly zone: Zone;
  readonly timeZone: string;
  /** The reader's scope; `null` before the login. */
  readonly scope: Scope | null;
  /** The name of the reader; `null` without a login. */
  readonly signedIn: string | null;
  /** Addresses of styles and scripts with their version, e.g. `/assets/app.css?v=3f2a`. */
  readonly assets: Readonly<Record<"css" | "otherCss" | "noScriptCss" | "js" | "htmx" | "favicon" | "chart", string>>;
  /** What is running: `0.2.0 (4f6c1f0a2b3c)`. */
  readonly version: string;
  /** Epoch milliseconds of the request. */
  readonly now: number;
  /** Work on the whole database that is under way in the background, in a line. */
  readonly upkeep?: string;
  /** Why nothing can be stored now; `null` if all is well. */
  readonly trouble: StorageTrouble | QueueTrouble | null;
}

interface Place {
  readonly path: string;
  readonly title: string;
  /** Paths of pages that belong to it and do not begin with its own. */
  readonly also?: readonly string[];
}

export const NAVIGATION: readonly Place[] = [
  { path: "/", title: "Monitor" },
  { path: "/companies", title: "Companies", also: ["/files"] },
  { path: "/profiles", title: "Profiles", also: ["/quality", "/storage", "/panel", "/snapshots"] },
  { path: "/runs", title: "Runs" },
  { path: "/schedules", title: "Schedules" },
  { path: "/promises", title: "Promises" },
  { path: "/alerts", title: "Alerts" },
  { path: "/settings", title: "Settings", also: ["/hosts"] },
  { path: "/audit", title: "Audit" },
];

export const THEME_TITLES: Readonly<Record<Theme, string>> = {
  system: "Theme as in the system",
  light: "Light theme",
  dark: "Dark theme",
};

/** The document of a page. `stream` is the address of its live updates, if it has any. */
export const Layout = (props: { page: PageContext; title: string; stream?: string; children?: Child }) => {
  const { page, title, stream } = props;
  return (
    <ReaderZone.Provider value={page.timeZone}>
      {DOCTYPE}
      <html
        lang="en"
        data-theme={page.theme}
        data-scope={page.scope ?? "none"}
        data-zone={page.zone}
        data-base="/"
        data-time-zone={page.timeZone}
      >
        <head>
          <meta charset="utf-8" />
          <title>{`${title} · Barkeep`}</title>
          <meta name="viewport" content="width=device-width, initial-scale=1" />
          <meta name="color-scheme" content={page.theme === "system" ? "light dark" : page.theme} />
          {/* Settling copies `style` attributes (a resized text area has one), which the content policy refuses. */}
          <meta name="htmx-config" content='{"history":false,"includeIndicatorCSS":false,"defaultSettleDelay":0}' />
          <link rel="icon" href={page.assets.favicon} type="image/svg+xml" />
          <link rel="stylesheet" href={page.assets.css} />
          {stream === undefined ? <link rel="stylesheet" href={page.assets.otherCss} /> : null}
          <noscript>
            <link rel="stylesheet" href={page.assets.noScriptCss} />
          </noscript>
          <script src={page.assets.js} type="module" />
          <script src={page.assets.htmx} defer />
        </head>
        <body>
          <a class="skip-link" href={`#${dom.main}`}>
            Skip to content
          </a>
          <Header page={page} live={stream !== undefined} />
          <div id={dom.trouble} class="trouble" role="alert">
            {page.trouble === null ? null : <TroubleText trouble={page.trouble} />}
          </div>
          <main id={dom.main} tabindex={-1}>
            {page.upkeep ? <p class="upkeep">{page.upkeep}</p> : null}
            <ReaderScope.Provider value={page.scope ?? "read"}>{props.children}</ReaderScope.Provider>
          </main>
          <footer class="foot">
            Barkeep {page.version}
            {page.scope === null ? null : <a href="/api/docs">API</a>}
          </footer>
          <p id={dom.announcer} class="visually-hidden" role="status" />
          <section id={dom.notices} class="notices" aria-label="Notices" aria-live="polite" />
          <div id={dom.question} />
          {stream ? <Stream address={stream} /> : null}
        </body>
      </html>
    </ReaderZone.Provider>
  );
};

/** What stops the work of the whole server, since when, and what to do. */
export const TroubleText = ({ trouble }: { trouble: StorageTrouble | QueueTrouble }) => (
  <p>
    <Icon name="failed" />
    <span>
      <strong>{trouble.what}</strong> since <Moment at={trouble.since} style="second" />. {trouble.advice}{" "}
      {consequenceOf(trouble)}
    </span>
  </p>
);

const DOCTYPE = Object.assign(new String("<!DOCTYPE html>"), { isEscaped: true as const }) as unknown as Child;

/**
 * The page's connection for live updates, outside of all swapped elements. The extension does not retry a failed first
 * connect, so a timer does. `public/app/live/connection.js` must listen before htmx processes the page, so that hidden
 * tabs do not connect: the module comes first.
 */
const Stream = ({ address }: { address: string }) => (
  <div id={dom.stream} hidden>
    <Connection address={address} />
  </div>
);

/** One connection. It is replaced when the page shows something else; scripts listen to the element around it. */
export const Connection = ({ address }: { address: string }) => (
  <div
    hx-sse:connect={address}
    hx-trigger="load, shown, every 5s"
    hx-sync="this:drop"
    hx-swap="none"
    hx-config="sse.reconnectMaxDelay:8s sse.connectTimeout:10s"
  />
);

const Header = ({ page, live }: { page: PageContext; live: boolean }) => (
  <header class="top">
    <a class="brand" href="/">
      <Icon name="brand" />
      Barkeep
    </a>
    <nav aria-label="Main">
      {NAVIGATION.map((place, index) =>
        page.scope !== null && maySend(page.scope, "GET", place.path) ? (
          <a
            href={place.path}
            aria-current={isPlaceOf(place, page) ? "page" : undefined}
            data-shortcut={String(index + 1)}
          >
            {place.title}
          </a>
        ) : null,
      )}
    </nav>
    {page.scope === null ? null : <SearchLink />}
    {live ? (
      <span id={dom.freshness} class="freshness" data-state="off">
        as of <Moment at={page.now} style="second" />
      </span>
    ) : null}
    <Clock page={page} />
    <KeysButton />
    {page.signedIn === null ? null : (
      <form class="who" method="post" action="/logout">
        <span>{page.signedIn}</span>
        <button type="submit" class="button">
          Sign out
        </button>
      </form>
    )}
    <form class="themes" method="post" action="/theme" aria-label="Theme">
      <input type="hidden" name="back" value={page.path} />
      {THEMES.map((theme) => (
        <button
          type="submit"
          name="theme"
          value={theme}
          aria-pressed={theme === page.theme ? "true" : "false"}
          aria-label={THEME_TITLES[theme]}
          title={THEME_TITLES[theme]}
        >
          <Icon name={theme} />
        </button>
      ))}
    </form>
  </header>
);

export const ZONE_TITLES: Readonly<Record<Zone, string>> = {
  utc: "UTC",
  local: "My own time",
  exchange: zoneTitle(EXCHANGE_TIME_ZONE),
};

/** The server's time; a click offers the time zones of all pages. */
const Clock = ({ page }: { page: PageContext }) => (
  <>
    <button type="button" class="clock" popovertarget={dom.zones}>
      <span class="visually-hidden">Time zone, now </span>
      <span id={dom.clock} class="num">
        <Moment at={page.now} style="second" />
      </span>
    </button>
    <form id={dom.zones} class="zones" popover="auto" method="post" action="/zone" aria-label="Time zone">
      <input type="hidden" name="back" value={page.path} />
      {ZONES.map((zone) => (
        <button type="submit" name="zone" value={zone} aria-pressed={zone === page.zone ? "true" : "false"}>
          {zone === "exchange" && zone === page.zone ? zoneTitle(page.timeZone) : ZONE_TITLES[zone]}
        </button>
      ))}
    </form>
  </>
);

/** Opens the list of keyboard shortcuts, which comes with the scripts that bind them. */
const KeysButton = () => (
  <button
    type="button"
    class="icon-button keys-button"
    popovertarget={dom.keys}
    data-shortcut="?"
    aria-label="Keyboard shortcuts"
  >
    <kbd>?</kbd>
  </button>
);

const isPlaceOf = ({ path, also = [] }: Place, page: PageContext): boolean =>
  [path, ...also].some((each) => isWithin(page.path, each));

function isWithin(path: string, place: string): boolean {
  const bare = path.split("?", 1)[0]!;
  return place === "/" ? bare === "/" : bare === place || bare.startsWith(`${place}/`);
}

/** Shown instead of content: what is missing and what to do next. */
export const Empty = ({ title, children }: { title: string; children?: Child }) => (
  <div class="empty">
    <h2>{title}</h2>
    <p>{children}</p>
  </div>
);

/** The page of an error. */
export const ErrorPage = (props: { page: PageContext; status: number; title: string; detail: string }) => (
  <Layout page={props.page} title={props.title}>
    <div class="empty">
      <p class="error-code num">{props.status}</p>
      <h1>{props.title}</h1>
      <p>{props.detail}</p>
      <p>
        <WayBack page={props.page} />
      </p>
    </div>
  </Layout>
);

/** To the place of the navigation that an address belongs to, and to the monitor. */
const WayBack = ({ page }: { page: PageContext }) => {
  const { scope, path } = page;
  const place = NAVIGATION.find((each) => each.path !== path && isPlaceOf(each, page));
  const isOpen = place !== undefined && scope !== null && maySend(scope, "GET", place.path);
  return (
    <>
      {isOpen ? (
        <>
          <a href={place.path}>{place.title}</a> ·{" "}
        </>
      ) : null}
      <a href="/">Back to the monitor</a>
    </>
  );
};

/** A message in the corner, for the result of an action. */
export const Toast = (props: { level: "info" | "error"; undo?: string; children?: Child }) => (
  <div class={`notice notice-${props.level}`} data-expires="8">
    <Icon name={props.level === "error" ? "failed" : "complete"} />
    <span>{props.children}</span>
    {props.undo ? (
      <form method="post" action={props.undo} data-actions>
        <button type="submit" class="button">
          Undo
        </button>
      </form>
    ) : null}
    <button type="button" class="icon-button" data-dismiss aria-label="Dismiss">
      <Icon name="cancelled" />
    </button>
  </div>
);
