import { expect, test } from "bun:test";
import { httpAddress } from "../../../src/routes/http/server-address.ts";

test.each([
  ["127.0.0.1", "http://127.0.0.1:3000"],
  ["localhost", "http://localhost:3000"],
  ["::1", "http://[::1]:3000"],
  ["[::1]", "http://[::1]:3000"],
  ["2001:db8::7", "http://[2001:db8::7]:3000"],
])("the address of a server on %s is the URL %s", (host, url) => {
  expect(httpAddress(host, 3000)).toBe(url);
  expect(new URL(httpAddress(host, 3000)).port).toBe("3000");
});
