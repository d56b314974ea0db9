/** @jsxImportSource hono/jsx */
/**
 * The icons: 16×16, in the colour of the text. They come with the script, which browsers keep (`script-parts.tsx`), and for
 * pages without scripts with a style sheet. As a file that `<use>` names, 500 rows cost a browser 30 ms more of style.
 */

import type { Child } from "hono/jsx";

/** Drawn lines: as wide as most icons have them, or of another width. */
const lineOf = (width: string) =>
  ({ fill: "none", stroke: "currentColor", "stroke-width": width, "stroke-linecap": "round" }) as const;
const line = lineOf("1.5");
/** Lines that are cut out of a filled shape. */
const cut = { ...lineOf("1.6"), stroke: "var(--panel)" } as const;

/** A ring that fills with the stages of a job: `share` is the stage reached, not the percentage. */
const Pie = ({ share }: { share: number }) => (
  <>
    <circle cx="8" cy="8" r="6" {...line} />
    <circle
      cx="8"
      cy="8"
      r="2"
      fill="none"
      stroke="currentColor"
      stroke-width="4"
      stroke-dasharray={`${(share * 12.566).toFixed(2)} 20`}
      transform="rotate(-90 8 8)"
    />
  </>
);

const ICONS: Readonly<Record<string, Child>> = {
  queued: (
    <>
      <circle cx="8" cy="8" r="6" {...line} stroke-dasharray="1.6 3.11" />
    </>
  ),
  fetch: <Pie share={0.25} />,
  engineer: <Pie share={0.5} />,
  create: <Pie share={0.7} />,
  store: <Pie share={0.9} />,
  waiting: (
    <>
      <circle cx="8" cy="8" r="6" {...line} />
      <path d="M8 4.8V8l2.2 1.6" {...line} />
    </>
  ),
  complete: (
    <>
      <circle cx="8" cy="8" r="6.75" fill="currentColor" />
      <path d="m5.2 8.2 2 2 3.6-4" {...cut} />
    </>
  ),
  failed: (
    <>
      <path d="M8 1.2 15 14H1Z" fill="currentColor" stroke="currentColor" stroke-linejoin="round" />
      <path d="M8 6v3.6M8 12v.1" {...cut} />
    </>
  ),
  paused: (
    <>
      <rect x="1.75" y="1.75" width="12.5" height="12.5" rx="3" {...line} />
      <path d="M6.3 5.6v4.8M9.7 5.6v4.8" {...line} />
    </>
  ),
  cancelled: (
    <>
      <circle cx="8" cy="8" r="6" {...line} />
      <path d="m5.9 5.9 4.2 4.2M10.1 5.9l-4.2 4.2" {...line} />
    </>
  ),
  skipped: (
    <>
      <path d="m3 4 4.5 4L3 12m5.5-8L13 8l-4.5 4" {...line} stroke-linejoin="round" />
    </>
  ),
  /** A disc with a missing piece: complete, but with gaps. */
  gaps: (
    <>
      <path d="M8 8 8 1.25A6.75 6.75 0 1 0 14.75 8Z" fill="currentColor" />
      <path d="M10.2 1.6a6.75 6.75 0 0 1 4.2 4.2" {...line} stroke-dasharray="1.6 2.2" />
    </>
  ),
  stale: (
    <>
      <path d="M4 1.75h8M4 14.25h8M5 2v2.2L8 8l3-3.8V2M5 14v-2.2L8 8l3 3.8V14" {...line} stroke-linejoin="round" />
    </>
  ),
  revised: (
    <>
      <path
        d="M2 6.2A6.2 6.2 0 0 1 13 4.4m0-3v3h-3M14 9.8A6.2 6.2 0 0 1 3 11.6m0 3v-3h3"
        {...line}
        stroke-linejoin="round"
      />
    </>
  ),
  suspicious: (
    <>
      <path d="m8 1 7 7-7 7-7-7Z" fill="currentColor" stroke="currentColor" stroke-linejoin="round" />
      <path d="M8 4.8v3.8M8 11v.1" {...cut} />
    </>
  ),
  synthetic: (
    <>
      <path
        d="M5.5 1.8h5M6.6 2v4.2l-3.7 6.3a1.1 1.1 0 0 0 1 1.7h8.2a1.1 1.1 0 0 0 1-1.7L9.4 6.2V2M4.7 10h6.6"
        {...line}
      />
    </>
  ),
  search: (
    <>
      <circle cx="7" cy="7" r="4.25" {...line} />
      <path d="m10.3 10.3 3.2 3.2" {...line} />
    </>
  ),
  light: (
    <>
      <circle cx="8" cy="8" r="2.8" {...line} />
      <path
        d="M8 1.5v1.3M8 13.2v1.3M1.5 8h1.3M13.2 8h1.3M3.4 3.4l.9.9M11.7 11.7l.9.9M12.6 3.4l-.9.9M4.3 11.7l-.9.9"
        {...line}
      />
    </>
  ),
  dark: (
    <>
      <path d="M13.2 9.6A5.6 5.6 0 0 1 6.4 2.8a5.6 5.6 0 1 0 6.8 6.8Z" {...line} stroke-linejoin="round" />
    </>
  ),
  system: (
    <>
      <rect x="1.75" y="2.75" width="12.5" height="8.5" rx="1.5" {...line} />
      <path d="M5.5 13.5h5" {...line} />
    </>
  ),
  brand: (
    <>
      <path d="M4 1.5v13M12 1.5v13" {...lineOf("1.2")} />
      <rect x="2" y="6.5" width="4" height="5.5" rx=".8" fill="currentColor" />
      <rect x="10" y="3.5" width="4" height="6" rx=".8" fill="var(--panel)" stroke="currentColor" stroke-width="1.3" />
    </>
  ),
};

/** All icons, for `<use>`. */
export const Sprite = () => (
  <svg class="sprite" aria-hidden="true" width="0" height="0">
    {Object.entries(ICONS).map(([name, drawing]) => (
      <symbol id={`i-${name}`} viewBox="0 0 16 16">
        {drawing}
      </symbol>
    ))}
  </svg>
);

/**
 * The style sheet of pages without scripts: each icon is a mask over the colour of its text. An image has no colours of
 * the page, so that its brightness is the mask: what is drawn is white, what is cut out is black.
 */
export function iconStyles(): string {
  const rules = Object.entries(ICONS).map(([name, drawing]) => {
    const image = (
      <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16" aria-hidden="true">
        {drawing}
      </svg>
    );
    const text = String(image).replaceAll("currentColor", "#fff").replaceAll("var(--panel)", "#000");
    return `.icon-${name}{mask-image:url("data:image/svg+xml,${encodeURIComponent(text)}")}`;
  });
  return [
    ".icon{background:currentColor;forced-color-adjust:preserve-parent-color;mask-mode:luminance}",
    ...rules,
  ].join("\n");
}
