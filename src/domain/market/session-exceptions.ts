/** Sessions that differ from the exchange's rules: days of mourning, storms, attacks, and single short days. */

import type { Exchange } from "./exchanges/exchanges.ts";

/** Changes to the sessions that the rules give; dates are `YYYY-MM-DD` on the exchange's clock. Later lists win. */
export interface SessionExceptions {
  /** Days without a session. */
  readonly closed?: readonly string[];
  /** Days that end early: date to closing time, `HH:MM` on the exchange's clock. */
  readonly early?: Readonly<Record<string, string>>;
  /** Days with a full session although the rules or the lists above say otherwise. */
  readonly open?: readonly string[];
}

/** Those of New York, and by their codes those of other exchanges. */
export type CalendarOverrides = SessionExceptions & { readonly [Code in Exchange]?: SessionExceptions };

/** One-off closures and short days since 1990, as the exchange announced them. */
export const NEW_YORK_EXCEPTIONS: SessionExceptions = {
  closed: [
    "1994-04-27", // funeral of President Nixon
    "2001-09-11", // attack on New York
    "2001-09-12",
    "2001-09-13",
    "2001-09-14",
    "2004-06-11", // mourning for President Reagan
    "2007-01-02", // mourning for President Ford
    "2012-10-29", // hurricane Sandy
    "2012-10-30",
    "2018-12-05", // mourning for President George H. W. Bush
    "2025-01-09", // mourning for President Carter
  ],
  // The Fridays after Thanksgiving became short in 1992; until then Christmas Eve alone was, and ended at 14:00.
  open: ["1990-11-23", "1991-11-29"],
  early: {
    "1990-12-24": "14:00",
    "1991-12-24": "14:00",
    "1992-11-27": "14:00",
    "1992-12-24": "14:00",
    "1997-12-26": "13:00",
    "1999-12-31": "13:00",
    "2003-12-26": "13:00",
  },
};
