import { expect, test } from "bun:test";
import { actorOfToken, looksLikeOwnActor, neededScope } from "../../src/domain/access.ts";

test("a name that looks like an actor of the audit that is no token is found in every disguise", () => {
  const alike = [
    "owner",
    " Owner",
    "OWNER.",
    "o w n e r",
    "\u200bowner",
    "оwnеr",
    "0wner",
    "ｏｗｎｅｒ",
    "öwner",
    "Local",
    "1oca1",
    "Iocal",
  ];
  const others = [
    "nobody",
    "Server",
    "ѕеrvеr",
    "command line",
    "Command-Line",
    "commandline",
    "token owner",
    "Token: server",
  ];
  for (const name of [...alike, ...others]) expect([name, looksLikeOwnActor(name)]).toEqual([name, true]);
  const own = [
    "owners",
    "server 2",
    "the owner",
    "locals",
    "my token",
    "token",
    "grafana",
    "日本",
    "владелец",
    "123",
    "–",
  ];
  for (const name of own) expect([name, looksLikeOwnActor(name)]).toEqual([name, false]);
});

test("a token is called by its name, and as a token where that could be somebody else", () => {
  expect(["grafana", "owner", "token owner"].map(actorOfToken)).toEqual([
    "grafana",
    "token owner",
    "token token owner",
  ]);
});

test("a page that asks whether to delete is for those who may delete", () => {
  for (const path of ["/profiles/AAPL/delete", "/promises/1/delete", "/schedules/1/delete"]) {
    expect([path, neededScope("GET", path), neededScope("POST", path)]).toEqual([path, "operate", "operate"]);
  }
  expect(neededScope("GET", "/profiles/AAPL")).toBe("read");
});
