import { expect, setSystemTime, spyOn, test } from "bun:test";
import type { JobReport } from "../../src/pipeline/messages.ts";
import { PermitRequests } from "../../src/pipeline/permit-requests.ts";

function start() {
  const reports: JobReport[] = [];
  const requests = new PermitRequests();
  const stop = new AbortController();
  const acquire = () =>
    requests.acquire(
      { provider: "acme", cost: 1, signal: stop.signal, held() {} },
      (report) => void reports.push(report),
    );
  return { reports, requests, stop, acquire };
}

test("a permit that comes after its end is given back and requested again, and only one that is in time is used", async () => {
  let now = 1_000;
  using _ = spyOn(Date, "now").mockImplementation(() => now);
  const { reports, requests, acquire } = start();
  const acquired = acquire();
  // The process is stopped between the answer of the server and its thread.
  now = 21_000;
  requests.granted(1, 21_000);
  // It is stopped again, for less long.
  while (reports.length < 3) await Promise.resolve();
  now += 19_999;
  requests.granted(2, 41_000);
  (await acquired).settle({ accepted: true });
  expect(reports).toEqual([
    { type: "acquire", request: 1, provider: "acme", cost: 1 },
    { type: "settle", request: 1, report: { charged: 0 } },
    { type: "acquire", request: 2, provider: "acme", cost: 1 },
    { type: "settle", request: 2, report: { accepted: true } },
  ]);
});

test("a permit of the server's own threads has no end", async () => {
  const { requests, acquire } = start();
  const acquired = acquire();
  setSystemTime(new Date("2100-01-01"));
  requests.granted(1);
  await acquired;
  setSystemTime();
});

test("a request that is stopped while it waits, or waits again, is released", async () => {
  const { reports, requests, stop, acquire } = start();
  const acquired = acquire();
  requests.granted(1, 0);
  while (reports.length < 3) await Promise.resolve();
  stop.abort(new Error("paused"));
  await expect(acquired).rejects.toThrow("paused");
  expect(reports.map(({ type }) => type)).toEqual(["acquire", "settle", "acquire", "release"]);
  await expect(acquire()).rejects.toThrow("paused");
  expect(reports.length).toBe(4);
});
