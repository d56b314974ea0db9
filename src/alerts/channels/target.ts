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
  if (kind === "telegram" && secret !== "" && !/^\d+:[\w-]+$/.test(secret))
    errors.push({ path: "secret", message: "Wants the bot's token, such as 123456:ABC-DEF" });
  if (needsPlace && !/^[\w@.-]+$/.test(place))
    errors.push({
      path: "place",
      message: kind === "ntfy" ? "Wants a topic" : "Wants a chat, such as -1001234 or @name",
    });
  return errors;
}

/** What must appear in no log and on no page: whoever knows the address of a chat's webhook can post there. */
export function secretsOfTarget({ url, secret }: ChannelTarget): string[] {
  const path = URL.canParse(url) ? new URL(url) : null;
  const parts = path === null ? [] : [...path.pathname.split("/"), path.search.slice(1)];
  return [secret, ...parts].filter((each) => each.length >= 8);
}
