import { expect, test } from "bun:test";
import { missingPackages } from "../../../../src/scheduler/queue/bullmq/packages.ts";

test("a start with BARKEEP_QUEUE says which packages are missing and how to install them", () => {
  expect(missingPackages("redis")).toBeNull();
  expect(missingPackages("postgres")).toBeNull();
  const none = () => null;
  expect(missingPackages("redis", none)).toBe(
    "BARKEEP_QUEUE needs bullmq, not installed here: bun add --optional --omit=dev bullmq@6, then start Barkeep again",
  );
  expect(missingPackages("postgres", none)).toContain("bun add --optional --omit=dev bullmq@6 pg@8");
  const onlyBullMq = (name: string) => (name === "bullmq" ? name : null);
  expect(missingPackages("postgres", onlyBullMq)).toContain("needs pg, not installed here");
});
