/** A part of a table, passed from storage to an encoder. */

/** Some rows of a table: their times (epoch seconds) and one column per name, NaN where undefined. */
export interface TableBlock {
  readonly ts: Float64Array;
  readonly columns: readonly Float64Array[];
}
