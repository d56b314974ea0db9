/** Sessions that differ from the exchange's rules: days of mourning, storms, attacks, and single short days. */

/** Changes to the sessions that the rules give; dates are `YYYY-MM-DD` in New York. Later lists win. */
export interface SessionExceptions {
  /** Days without a session. */
  readonly closed?: readonly string[];
  /** Days that end early: date to closing time, `HH:MM` New York. */
  readonly early?: Readonly<Record<string, string>>;
  /** Days with a full session although the rules or the lists above say otherwise. */
  readonly open?: readonly string[];
}

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
  early: {
    "1997-12-26": "13:00",
    "1999-12-31": "13:00",
    "2003-12-26": "13:00",
  },
};
