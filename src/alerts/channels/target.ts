/** What each kind of channel needs to know: its fields, what they must look like, and what of them is secret. */

import type { ChannelKind } from "../../domain/alerts.ts";
import type { FieldError } from "../../domain/errors.ts";

/** The address and the secrets of a channel; a field that a kind does not use is empty. */
export interface ChannelTarget {
  readonly url: string;
  /** The key of a webhook's signature, or the token of a bot or a server. */
  readonly secret: string;
  /** The chat of a bot, or the topic of ntfy. */
  readonly place: string;
}

interface ChannelForm {
  /** Where it posts when no address is given. */
  readonly url?: string;
  readonly needsSecret: boolean;
  readonly needsPlace: boolean;
}

const CHANNELS: Readonly<Record<ChannelKind, ChannelForm>> = {
  webhook: { needsSecret: true, needsPlace: false },
  slack: { needsSecret: false, needsPlace: false },
  discord: { needsSecret: false, needsPlace: false },
  telegram: { url: "https://api.telegram.org", needsSecret: true, needsPlace: true },
  ntfy: { url: "https://ntfy.sh", needsSecret: false, needsPlace: true },
};

/** Shortest key of a signature, characters. */
const MIN_SIGNING_KEY = 16;

/** A signing key that begins so goes on in Base64, as the Standard Webhooks scheme writes keys. */
export const ENCODED_KEY = "whsec_";
/** What is no Base64 would be left out of the key, all of it perhaps: anybody could sign with an empty one. */
const isEncodedKey = (secret: string) => {
  const text = secret.slice(ENCODED_KEY.length);
  return /^[A-Za-z0-9+/_-]+={0,2}$/.test(text) && Buffer.from(text, "base64").length >= MIN_SIGNING_KEY;
};

/** The target with the usual address where none was given. */
export const withDefaults = (kind: ChannelKind, target: ChannelTarget): ChannelTarget => ({
  ...target,
  url: target.url || (CHANNELS[kind].url ?? ""),
});

/** What is wrong with a target; empty if it can be used. */
export function faultsOf(kind: ChannelKind, { url, secret, place }: ChannelTarget): FieldError[] {
  const { needsSecret, needsPlace } = CHANNELS[kind];
  const errors: FieldError[] = [];
  const address = URL.canParse(url) ? new URL(url) : null;
  if (address === null || !/^https?:$/.test(address.protocol) || address.hostname === "") {
    errors.push({ path: "url", message: "Wants an http:// or https:// address" });
  } else if (address.username !== "" || address.password !== "") {
    errors.push({ path: "url", message: "Wants an address without a user and password in it" });
  }
  if (needsSecret && secret === "") errors.push({ path: "secret", message: "Wants the token or the signing key" });
  if (kind === "webhook" && secret !== "" && secret.length < MIN_SIGNING_KEY)
    errors.push({ path: "secret", message: `Wants at least ${MIN_SIGNING_KEY} characters` });
  else if (kind === "webhook" && secret.startsWith(ENCODED_KEY) && !isEncodedKey(secret))
    errors.push({ path: "secret", message: `Wants Base64 of at least ${MIN_SIGNING_KEY} bytes after ${ENCODED_KEY}` });
  if (kind === "telegram" && secret !== "" && !/^\d+:[\w-]+$/.test(secret))
    errors.push({ path: "secret", message: "Wants the bot's token, such as 123456:ABC-DEF" });
  if (needsPlace && !/^[\w@.-]+$/.test(place))
    errors.push({
      path: "place",
      message: kind === "ntfy" ? "Wants a topic" : "Wants a chat, such as -1001234 or @name",
    });
  return errors;
}

const FIELD_NAMES: Readonly<Record<string, string>> = {
  url: "address",
  secret: "key or token",
  place: "chat or topic",
};

/** What is wrong with a stored target, and what to do; `null` if nothing is. */
export function storedFault(kind: ChannelKind, target: ChannelTarget): string | null {
  const [first] = faultsOf(kind, target);
  if (first === undefined) return null;
  const { path, message } = first;
  const wants = `its ${FIELD_NAMES[path]} ${message[0]!.toLowerCase()}${message.slice(1)}`;
  return `${wants}. It is still used: enter another one, here and at the receiver`;
}

/** What must appear in no log and on no page: whoever knows the address of a chat's webhook can post there. */
export function secretsOfTarget({ url, secret }: ChannelTarget): string[] {
  const path = URL.canParse(url) ? new URL(url) : null;
  const given = path === null ? [] : [...path.pathname.split("/"), path.search.slice(1), ...path.searchParams.values()];
  const parts = given.flatMap((part) => [part, decoded(part)]);
  return [...new Set([secret, ...parts])].filter((each) => each.length >= 8);
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
