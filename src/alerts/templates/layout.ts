/** Renders mails: templates give the content, this file the layout as text and as HTML. */

import { cutText } from "../../domain/errors.ts";

export interface MailContent {
  readonly subject: string;
  /** What happened, in one or two sentences. */
  readonly lead: string;
  readonly sections: readonly Section[];
  /** What to do about it. */
  readonly advice: string;
  readonly link: { readonly title: string; readonly url: string };
}

export interface Section {
  readonly title?: string;
  /** Single figures, each with its name. */
  readonly facts?: readonly (readonly [name: string, value: string])[];
  readonly table?: {
    readonly head: readonly string[];
    readonly rows: readonly (readonly Cell[])[];
    /** What is not in the table, e.g. `and 12 more`. */
    readonly more?: string | undefined;
  };
}

/** A cell of a table; in HTML its text may be a link. */
type Cell = string | { readonly text: string; readonly url: string };

export interface RenderedMail {
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  /** The same in a few lines, for chats. */
  readonly brief: string;
  readonly url: string;
  /** A table, as CSV. */
  readonly attachment: string | null;
}

const FOOT = "You get this mail from Barkeep. Which mails it sends is chosen at";
/** Longest subject: mail programs show less. */
const SUBJECT = 150;

/** @param base the address of the server, without a slash at its end */
export function renderMail(mail: MailContent, base: string): RenderedMail {
  const subject = oneLine(mail.subject);
  return {
    subject: subject.length > SUBJECT ? `${cutText(subject, SUBJECT - 1)}…` : subject,
    text: asText(mail, base),
    html: asHtml(mail, base),
    brief: asBrief(mail),
    url: mail.link.url,
    attachment: null,
  };
}

const oneLine = (text: string) => text.replace(/[\s\p{Cc}]+/gu, " ").trim();

function asText({ lead, sections, advice, link }: MailContent, base: string): string {
  const parts = [
    lead,
    ...sections.flatMap(({ title, facts, table }) => [
      ...(title ? [`${title}\n${"-".repeat(title.length)}`] : []),
      ...(facts ? [columns(facts.map(([name, value]) => [`${name}:`, value]))] : []),
      ...(table ? [columns([table.head, ...table.rows]) + (table.more ? `\n${table.more}` : "")] : []),
    ]),
    advice,
    `${link.title}: ${link.url}`,
    `-- \n${FOOT} ${base}/alerts`,
  ];
  return `${parts.join("\n\n")}\n`;
}

/** Rows of the first table in a message of a chat. */
const BRIEF_ROWS = 10;

function asBrief({ lead, sections }: MailContent): string {
  const table = sections.find((section) => section.table !== undefined)?.table;
  const rows = table?.rows ?? [];
  const lines = rows.length > 1 ? rows.slice(0, BRIEF_ROWS).map((row) => `• ${row.map(textOf).join(" · ")}`) : [];
  const more = rows.length > BRIEF_ROWS ? [`and ${rows.length - BRIEF_ROWS} more`] : [];
  return [lead, ...lines, ...more].map(oneLine).join("\n");
}

const textOf = (cell: Cell) => (typeof cell === "string" ? cell : cell.text);

/** Rows with their cells under each other. */
function columns(rows: readonly (readonly Cell[])[]): string {
  const cells = rows.map((row) => row.map((cell) => oneLine(typeof cell === "string" ? cell : cell.text)));
  const widths = cells[0]!.map((_, at) => Math.max(...cells.map((row) => row[at]?.length ?? 0)));
  return cells
    .map((row) =>
      row
        .map((cell, at) => cell.padEnd(widths[at]!))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

// Mail programs ignore style sheets: every style is written at its element.
const FONT = "font-family:-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif;font-size:14px;line-height:1.5";
const CELL = "padding:4px 14px 4px 0;text-align:left;vertical-align:top;border-bottom:1px solid #e5e5ea";
const MUTED = "color:#5d606b";
const BUTTON =
  "display:inline-block;padding:8px 16px;border-radius:6px;background:#4f54d8;color:#ffffff;text-decoration:none";

const safe = (text: string) => Bun.escapeHTML(text);

function asHtml({ subject, lead, sections, advice, link }: MailContent, base: string): string {
  const raw = (tag: "td" | "th", html: string, style = "") => `<${tag} style="${CELL};${style}">${html}</${tag}>`;
  const cell = (tag: "td" | "th", text: string, style = "") => raw(tag, safe(text), style);
  const linked = (each: Cell) =>
    typeof each === "string" ? cell("td", each) : raw("td", `<a href="${safe(each.url)}">${safe(each.text)}</a>`);
  const row = (cells: readonly string[]) => `<tr>${cells.join("")}</tr>`;
  const table = (rows: readonly string[]) =>
    `<table cellspacing="0" style="border-collapse:collapse;margin:0 0 16px">${rows.join("\n")}</table>`;
  const body = sections.map(({ title, facts, table: list }) =>
    [
      title ? `<h2 style="font-size:15px;margin:20px 0 6px">${safe(title)}</h2>` : "",
      facts
        ? table(facts.map(([name, value]) => row([cell("th", name, `font-weight:400;${MUTED}`), cell("td", value)])))
        : "",
      list
        ? table([
            row(list.head.map((name) => cell("th", name, `font-weight:600;${MUTED}`))),
            ...list.rows.map((cells) => row(cells.map(linked))),
          ])
        : "",
      list?.more ? `<p style="${MUTED}">${safe(list.more)}</p>` : "",
    ].join("\n"),
  );
  return `<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>${safe(oneLine(subject))}</title></head>
<body style="margin:0;padding:20px;color:#191a1e;background:#ffffff;${FONT}">
<p style="font-size:16px;margin:0 0 16px">${safe(lead)}</p>
${body.join("\n")}
<p>${safe(advice)}</p>
<p><a href="${safe(link.url)}" style="${BUTTON}">${safe(link.title)}</a></p>
<p style="margin-top:28px;font-size:12px;${MUTED}">${safe(FOOT)} <a href="${safe(base)}/alerts">${safe(base)}/alerts</a></p>
</body></html>
`;
}
