/** How long all requests to a vendor are held. */

/** The first hold of a vendor that refuses, however short the one it states; doubles with each refusal in a row, seconds. */
const FIRST_S = 1;
const MAX_OWN_S = 3_600;
/** The longest hold that a vendor can mean, seconds. */
const MAX_S = 31 * 86_400;

export class Hold {
  /** Its end, steady milliseconds (`Clock.steady`), as all times here. */
  until = Number.NEGATIVE_INFINITY;
  reason = "";
  /** When it was set or last looked at. */
  #seenAt = Number.NEGATIVE_INFINITY;
  /** Holds that followed one another without an accepted request between them. */
  #inRow = 0;

  /**
   * Holds requests for `seconds`, and longer if the vendor goes on refusing.
   * @returns whether the end has changed
   */
  extend(seconds: number, reason: string, now: number): boolean {
    this.isOn(now);
    // Requests that were under way together are refused together: that is one refusal.
    if (this.until <= now) this.#inRow += 1;
    const own = Math.min(MAX_OWN_S, FIRST_S * 2 ** (this.#inRow - 1));
    const stated = seconds >= 0 && seconds <= MAX_S ? seconds : 0;
    const until = now + Math.max(stated, own) * 1_000;
    if (until <= this.until) return false;
    this.until = until;
    this.reason = reason;
    return true;
  }

  /** Whether requests are held at `now`. A clock that is set back does not make the hold longer. */
  isOn(now: number): boolean {
    if (now < this.#seenAt && this.until > this.#seenAt) this.until -= this.#seenAt - now;
    this.#seenAt = now;
    return this.until > now;
  }

  /** The vendor has accepted a request: the next refusal is a first one. */
  accepted(): void {
    this.#inRow = 0;
  }

  /** A person ends it: if the vendor refuses again, that is a first refusal. */
  lift(): void {
    this.until = Number.NEGATIVE_INFINITY;
    this.#inRow = 0;
  }

  /** How long it goes on, whole seconds; 0 if it has ended. */
  secondsLeft(now: number): number {
    return Math.max(0, Math.ceil((this.until - now) / 1_000));
  }

  /**
   * Continues a hold from before a restart.
   * @param seconds what was left of it then: the clock that its end was stored by may have been wrong since; 0: unknown
   */
  restore(until: number, now: number, seconds: number): void {
    this.until = Math.min(until, now + (seconds > 0 ? Math.min(seconds, MAX_S) : MAX_S) * 1_000);
    this.#seenAt = now;
    this.reason = "the provider asked for a pause before the restart";
  }
}
