/** The request that posts a message to each kind of channel. */

import type { AlertEvent, ChannelKind } from "../../domain/alerts.ts";
import { cutText } from "../../domain/errors.ts";
import { type ChannelTarget, ENCODED_KEY } from "./target.ts";

/** A message as it is stored; the body of a webhook. */
export interface ChannelMessage {
  readonly id: string;
  readonly kind: string;
  readonly subject: string;
  /** A few lines. */
  readonly text: string;
  /** The page that it is about. */
  readonly url: string;
  /** ISO. */
  readonly created_at: string;
  readonly events: readonly AlertEvent[];
}

interface ChannelRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Longest texts that are accepted, characters; by ntfy, which counts title and link apart, bytes. */
const MAX_DISCORD = 2_000;
const MAX_TELEGRAM = 4_096;
const MAX_SLACK = 10_000;
const MAX_NTFY_BYTES = 4_096;
/** Kinds that are sent with a high priority. */
const URGENT: readonly string[] = ["run_failed", "key_refused", "disk_low", "queue_down"];

const cut = (text: string, most: number) => (text.length > most ? `${cutText(text, most - 1)}…` : text);
/** The same in bytes of UTF-8. The decoder leaves an incomplete character at the end out. */
const cutBytes = (text: string, most: number) => {
  const bytes = Buffer.from(text);
  const start = () => new TextDecoder().decode(bytes.subarray(0, most - Buffer.byteLength("…")), { stream: true });
  return bytes.length > most ? `${start()}…` : text;
};
const plain = ({ subject, text, url }: ChannelMessage, most: number) =>
  `${cut(`${subject}\n${text}`, most - url.length - 2)}\n${url}`;

/**
 * @param stored the message as JSON, which a webhook gets as it is
 * @param now epoch milliseconds, part of a webhook's signature
 */
export function requestOf(kind: ChannelKind, target: ChannelTarget, stored: string, now: number): ChannelRequest {
  const message: ChannelMessage = JSON.parse(stored);
  const json = (url: string, body: unknown, headers: Record<string, string> = {}) => ({
    url,
    headers: { "Content-Type": "application/json", ...headers },
    body: JSON.stringify(body),
  });
  switch (kind) {
    case "webhook":
      return {
        url: target.url,
        headers: { "Content-Type": "application/json", ...signatureOf(message.id, target.secret, stored, now) },
        body: stored,
      };
    case "slack": {
      const escaped = (text: string) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
      const { subject, text, url } = message;
      return json(target.url, { text: `*${escaped(subject)}*\n${escaped(cut(text, MAX_SLACK))}\n<${url}|Open>` });
    }
    case "discord":
      // A symbol or an error that reads like a mention must not notify anybody.
      return json(target.url, { content: plain(message, MAX_DISCORD), allowed_mentions: { parse: [] } });
    case "telegram":
      return json(`${target.url.replace(/\/$/, "")}/bot${target.secret}/sendMessage`, {
        chat_id: target.place,
        text: plain(message, MAX_TELEGRAM),
        link_preview_options: { is_disabled: true },
      });
    case "ntfy": {
      const { subject, text, url } = message;
      const body = { topic: target.place, title: subject, message: cutBytes(text, MAX_NTFY_BYTES), click: url };
      const headers: Record<string, string> = target.secret === "" ? {} : { Authorization: `Bearer ${target.secret}` };
      return json(target.url, { ...body, priority: URGENT.includes(message.kind) ? 4 : 3 }, headers);
    }
  }
}

/** The headers of the Standard Webhooks scheme: its libraries verify them. A key `whsec_…` is Base64, any other is text. */
function signatureOf(id: string, secret: string, body: string, now: number): Record<string, string> {
  const key = secret.startsWith(ENCODED_KEY)
    ? Buffer.from(secret.slice(ENCODED_KEY.length), "base64")
    : Buffer.from(secret);
  const timestamp = String(Math.floor(now / 1_000));
  const signature = new Bun.CryptoHasher("sha256", key).update(`${id}.${timestamp}.${body}`).digest("base64");
  return { "webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": `v1,${signature}` };
}
