/** When a run will be done: a range as wide as the measurement is poor, and never below what the quota allows. */

/** One limit of the provider, as it stands now. */
interface EtaLimit {
  readonly period: "minute" | "hour" | "day" | "month";
  readonly used: number;
  readonly limit: number;
  /** What one request costs of it. */
  readonly cost: number;
  /** Epoch seconds; `null` for the minute, which slides. */
  readonly resetsAt: number | null;
}

export interface EtaInput {
  /** Epoch seconds. */
  readonly now: number;
  /** Seconds measured so far, and the work done in them and left, in symbols. */
  readonly seconds: number;
  readonly done: number;
  readonly left: number;
  /** Requests that are still to be sent, as far as the batches done so far tell. */
  readonly requestsLeft: number;
  readonly limits: readonly EtaLimit[];
  /** Epoch seconds until which nobody may ask. */
  readonly holdUntil: number | null;
}

/** Seconds to the end. */
export interface Eta {
  readonly seconds: number;
  readonly low: number;
  readonly high: number;
  /** What decides: the speed of work, a rate, or a quota that is spent. */
  readonly limitedBy: "speed" | "rate" | "quota" | "hold";
  /** When that lets go first (epoch seconds); `null` for the speed, and for a rate, which slides. */
  readonly until: number | null;
}

/** What keeps everybody from asking the provider now, until when (epoch seconds). */
export interface RequestBlock {
  readonly by: "quota" | "hold";
  readonly until: number;
}

/** The last to let go of a provider's hold and its spent quotas; `null` when requests may be sent. */
export function requestBlock({
  now,
  limits,
  holdUntil,
}: Pick<EtaInput, "now" | "limits" | "holdUntil">): RequestBlock | null {
  const held: RequestBlock[] = holdUntil !== null && holdUntil > now ? [{ by: "hold", until: holdUntil }] : [];
  for (const { used, limit, cost, resetsAt } of limits) {
    if (resetsAt !== null && resetsAt > now && used + cost > limit) held.push({ by: "quota", until: resetsAt });
  }
  return held.reduce<RequestBlock | null>((last, each) => (last && last.until >= each.until ? last : each), null);
}

/** Smallest spread that is claimed, as a share: no run goes at one speed. */
const SPREAD = 0.1;

/** `null` while there is nothing to judge by. */
export function estimate(input: EtaInput): Eta | null {
  const { now, seconds, done, left, requestsLeft, limits, holdUntil } = input;
  if (done <= 0 || seconds <= 0) return null;
  const bySpeed = (seconds / done) * left;
  let [longest, limitedBy]: [number, Eta["limitedBy"]] = [bySpeed, "speed"];
  let until: number | null = null;
  for (const limit of limits) {
    const wait = waitFor(limit, requestsLeft, now);
    if (wait <= longest) continue;
    [longest, limitedBy, until] = [wait, limit.period === "minute" ? "rate" : "quota", limit.resetsAt];
  }
  const held = Math.max(0, (holdUntil ?? now) - now);
  if (held > longest) [limitedBy, until] = ["hold", holdUntil];
  // The mean of n symbols strays by about one part in √n of what a single one does.
  const spread = Math.max(SPREAD, Math.min(1, 1 / Math.sqrt(done)));
  const round = (value: number) => Math.max(0, Math.round(value));
  // A limit is a floor: it may take longer, not shorter.
  const floor = limitedBy === "speed" ? 0 : longest;
  return {
    seconds: round(held + longest),
    low: round(held + Math.max(floor, bySpeed / (1 + spread))),
    high: round(held + longest * (1 + spread)),
    limitedBy,
    until,
  };
}

/** Seconds until `requests` more fit into a limit. */
function waitFor({ period, used, limit, cost, resetsAt }: EtaLimit, requests: number, now: number): number {
  const over = used + requests * cost - limit;
  if (over <= 0 || limit <= 0) return 0;
  if (period === "minute") return (over / limit) * 60;
  const whole = { hour: 3_600, day: 86_400, month: 30 * 86_400 }[period];
  return Math.max(0, (resetsAt ?? now) - now) + (Math.ceil(over / limit) - 1) * whole;
}
