/** Findings about the scale of a series and its corporate actions. */

/** The version of the rules by which bars and actions are judged: series of an earlier one are judged again. */
export const RULES_VERSION = 1;

export const FINDING_KINDS = ["scale_change", "split_without_jump", "split_off_date", "foreign_dividend"] as const;
