import { defineConfig } from "drizzle-kit";

export default defineConfig({
  dialect: "sqlite",
  schema: ["./src/storage/schema.ts", "./src/storage/access-schema.ts", "./src/storage/schedule-schema.ts"],
  out: "./src/storage/migrations",
});
