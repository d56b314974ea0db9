/** The version of the catalogue, apart from it: a server that starts needs no formulas. */

/** Increase it whenever a feature's values change: stored states and profiles of older versions are then recomputed. */
export const CATALOG_VERSION = 6;
