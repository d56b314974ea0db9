/** Estimates when a run will end: a range that narrows with more measurements, never below what the quota allows. */

/** One limit of the provider and its present use. */
interface EtaLimit {
  readonly period: "minute" | "hour" | "day" | "month";
  readonly used: number;
  readonly limit: number;
  /** Units that one request costs. */
  readonly cost: number;
  /** Epoch seconds; `null` for the minute, which slides. */
  readonly resetsAt: number | null;
}

export interface EtaInput {
  /** Epoch seconds. */
  readonly now: number;
  /** Seconds that the work left takes at the measured speed; `null` while nothing was measured. */
  readonly seconds: number | null;
  /** Batches, or symbols without any, that were measured. */
  readonly measured: number;
  /** Requests still to be sent, estimated from the batches done so far. */
  readonly requestsLeft: number;
  readonly limits: readonly EtaLimit[];
  /** Epoch seconds until which no request may be sent. */
  readonly holdUntil: number | null;
}

/** Seconds to the end. */
export interface Eta {
  readonly seconds: number;
  readonly low: number;
  readonly high: number;
  /** What determines the end: the speed of work, a rate, a spent quota, or the provider's hold. */
  readonly limitedBy: "speed" | "rate" | "quota" | "hold";
  /** When that limit ends first (epoch seconds); `null` for the speed, and for a rate, which slides. */
  readonly until: number | null;
}

/** What prevents all requests to the provider now, and until when (epoch seconds). */
export interface RequestBlock {
  readonly by: "quota" | "hold";
  readonly until: number;
}

/** The hold or spent quota that ends last; `null` when requests may be sent. */
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

/** Smallest spread, as a share: no run has a constant speed. */
const SPREAD = 0.1;
/** Spread of a single batch, as a share. */
const OF_ONE = 0.56;

/** The estimate; `null` while nothing was measured. */
export function estimate(input: EtaInput): Eta | null {
  const { now, seconds: bySpeed, measured, requestsLeft, limits, holdUntil } = input;
  if (bySpeed === null || measured <= 0) return null;
  let [longest, limitedBy]: [number, Eta["limitedBy"]] = [bySpeed, "speed"];
  let until: number | null = null;
  for (const limit of limits) {
    const wait = waitFor(limit, requestsLeft, now);
    if (wait <= longest) continue;
    [longest, limitedBy, until] = [wait, limit.period === "minute" ? "rate" : "quota", limit.resetsAt];
  }
  const held = Math.max(0, (holdUntil ?? now) - now);
  if (held > longest) [limitedBy, until] = ["hold", holdUntil];
  // The spread of a mean of n batches is about 1/√n of that of a single one: 20 % after eight.
  const spread = Math.max(SPREAD, Math.min(1, OF_ONE / Math.sqrt(measured)));
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
