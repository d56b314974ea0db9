import { defineConfig } from "drizzle-kit";

/** Also read by .ci/migrations.ts. */
export const dialect = "sqlite";
export const schema = "./src/storage/schema/*.ts";
export const out = "./src/storage/migrations";

export default defineConfig({ dialect, schema, out });
