import { expect, test } from "bun:test";
import { TokenCache } from "../../../src/routes/access/token-cache.ts";
import type { TokenRow } from "../../../src/storage/access/tokens.ts";

const token = (expiresAt: number | null = null): TokenRow => ({
  ...{ id: 1, name: "t", scope: "worker", createdAt: 0, lastUsedAt: null, expiresAt },
});

/** A cache with a clock that the test sets, and what its tokens are looked up in. */
function cacheOver(stored: Map<string, TokenRow>) {
  const clock = { now: 0 };
  const looked: string[] = [];
  const cache = new TokenCache({ now: () => clock.now });
  const look = async (hash: string) => {
    looked.push(hash);
    return stored.get(hash);
  };
  return { cache, clock, looked, find: (hash: string, now = 0) => cache.find(hash, now, look) };
}

test("a token that was found is looked up again after five seconds, and one that is unknown each time", async () => {
  const { clock, looked, find } = cacheOver(new Map([["a", token()]]));
  for (const now of [0, 1, 4_999, 5_000, 9_999]) {
    clock.now = now;
    expect(await find("a")).toEqual(token());
  }
  expect(looked).toEqual(["a", "a"]);
  expect([await find("b"), await find("b")]).toEqual([undefined, undefined]);
  expect(looked).toEqual(["a", "a", "b", "b"]);
});

test("a kept token ends when it expires", async () => {
  const { find } = cacheOver(new Map([["a", token(1_000)]]));
  expect(await find("a", 999)).toEqual(token(1_000));
  expect(await find("a", 1_000)).toBeUndefined();
});

test("a revoked token is unknown at once, also if it was being looked up meanwhile", async () => {
  const stored = new Map([["a", token()]]);
  const { cache, find } = cacheOver(stored);
  await find("a");
  stored.delete("a");
  cache.clear();
  expect(await find("a")).toBeUndefined();

  const answer = Promise.withResolvers<TokenRow>();
  const slow = cache.find("a", 0, () => answer.promise);
  cache.clear();
  answer.resolve(token());
  await slow;
  expect(await find("a")).toBeUndefined();
});

test("at most five hundred tokens are kept", async () => {
  const { looked, find } = cacheOver(new Map(Array.from({ length: 501 }, (_, at) => [`${at}`, token()])));
  for (let at = 0; at < 501; at++) await find(`${at}`);
  looked.length = 0;
  for (const hash of ["500", "1", "0"]) await find(hash);
  expect(looked).toEqual(["0"]);
});
