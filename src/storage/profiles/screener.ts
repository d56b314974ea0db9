/** Screener conditions as SQL over the profiles' JSON. Names and numbers are bound, never written into the SQL. */

import { type SQL, sql } from "drizzle-orm";
import type { Comparison, Condition, Operand } from "../../domain/profiles/screener.ts";
import { profiles } from "../schema/profiles.ts";

const SIGNS: Readonly<Record<Comparison, SQL>> = {
  "<": sql`<`,
  "<=": sql`<=`,
  ">": sql`>`,
  ">=": sql`>=`,
  "=": sql`=`,
  "!=": sql`<>`,
};

/** SQL for the value of a feature; NULL where it has none. */
export const featureValue = (name: string): SQL => sql`json_extract(${profiles.features}, ${`$."${name}"`})`;

export function conditionSql(condition: Condition): SQL {
  switch (condition.kind) {
    case "not":
      return sql`not (${conditionSql(condition.inner)})`;
    case "and":
      return sql`(${conditionSql(condition.left)} and ${conditionSql(condition.right)})`;
    case "or":
      return sql`(${conditionSql(condition.left)} or ${conditionSql(condition.right)})`;
    case "compare":
      return sql`${operandSql(condition.left)} ${SIGNS[condition.sign]} ${operandSql(condition.right)}`;
  }
}

const operandSql = (operand: Operand): SQL =>
  "feature" in operand ? featureValue(operand.feature) : sql`${operand.number}`;
