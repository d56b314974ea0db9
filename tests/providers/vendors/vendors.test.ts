/** Every vendor's adapter against its fake: the provider contract, secret keys, and errors. */

import { afterAll, describe, expect, test } from "bun:test";
import { ProviderError } from "../../../src/domain/errors.ts";
import { PROVIDERS } from "../../../src/providers/registry.ts";
import { providerOn } from "../../fakes/providers.ts";
import { FAKE_SECRET, fakeAlpaca } from "../../fakes/vendors/alpaca.ts";
import { fakeBinance } from "../../fakes/vendors/binance.ts";
import { fakeEodhd } from "../../fakes/vendors/eodhd.ts";
import { hang, html, reply } from "../../fakes/vendors/faults.ts";
import { fakeMassive } from "../../fakes/vendors/massive.ts";
import { fakeTiingo } from "../../fakes/vendors/tiingo.ts";
import { fakeTwelveData } from "../../fakes/vendors/twelvedata.ts";
import { FAKE_KEY, type FakeVendor } from "../../fakes/vendors/vendor.ts";
import { fakeYahoo } from "../../fakes/vendors/yahoo.ts";
import { recordingContext } from "../fetch-context.ts";
import { providerContract } from "../provider.contract.ts";

/** Asked in December 2024, when the window of the contract is recent. */
function recentYahoo(): FakeVendor {
  const fake = fakeYahoo();
  fake.clock = () => Date.parse("2024-12-19T00:00:00Z");
  return fake;
}

const KEYLESS = ["binance", "yahoo"];
const FAKES: Record<string, { start: () => FakeVendor; symbol: string; unknown: string; later?: number }> = {
  eodhd: { start: fakeEodhd, symbol: "AAPL", unknown: "NOPE" },
  alpaca: { start: fakeAlpaca, symbol: "BRK.B", unknown: "NOPE" },
  massive: { start: fakeMassive, symbol: "AAPL", unknown: "NOPE" },
  binance: { start: fakeBinance, symbol: "BTC-USDT", unknown: "NOPE-USDT" },
  twelvedata: { start: fakeTwelveData, symbol: "MSFT", unknown: "NOPE" },
  tiingo: { start: fakeTiingo, symbol: "BRK.B", unknown: "NOPE" },
  yahoo: { start: recentYahoo, symbol: "BRK.B", unknown: "NOPE", later: 10 },
};

test("every vendor of the registry has a fake", () => {
  expect(PROVIDERS.map(({ name }) => name).filter((name) => name !== "demo" && name !== "files")).toEqual(
    Object.keys(FAKES),
  );
});

for (const [name, { start, symbol, unknown, later }] of Object.entries(FAKES)) {
  providerContract(name, () => {
    const fake = start();
    const provider = providerOn(fake, name, {}, {});
    const dates = { from: "2024-11-25", to: "2024-12-09", ...(later !== undefined && { later }) };
    return { provider, symbol, unknown, ...dates, metered: true, close: fake.close };
  });

  if (name === "alpaca") {
    providerContract("alpaca crypto", () => {
      const fake = start();
      const provider = providerOn(fake, name, {}, {});
      const dates = { from: "2024-11-25", to: "2024-12-01" };
      return { provider, symbol: "BTC-USD", unknown: "NOPE-USD", ...dates, metered: true, close: fake.close };
    });
  }

  describe(`${name} in trouble`, () => {
    const fake = start();
    afterAll(fake.close);
    const from = Date.parse("2024-11-25") / 1000;
    const window = { symbol, interval: "1d", from, to: from + 10 * 86_400, asOf: from + 60 * 86_400 } as const;
    const failure = async (behaviour: FakeVendor["always"], context = recordingContext()): Promise<ProviderError> => {
      fake.always = behaviour;
      const error = await providerOn(fake, name)
        .fetchBars(window, context)
        .then(
          () => new Error("it answered"),
          (thrown) => thrown,
        );
      fake.always = null;
      expect(error).toBeInstanceOf(ProviderError);
      return error as ProviderError;
    };

    test(`${name}: a failed window is an error and never an empty answer`, async () => {
      for (const status of [400, 401, 402, 403, 404, 418, 422, 429, 451, 500, 502, 503, 504]) {
        const plain = await failure(reply(status, ""));
        expect(`${status} ${plain.message}`).toContain(String(status));
        await failure(html(status));
      }
      for (const nonsense of ["", "null", "{}", '"ok"', "42", '{"bars":3}', "[[1]]", "Server busy"]) {
        expect((await failure(reply(200, nonsense))).kind).toBe("invalid_response");
      }
      expect((await failure(html(200))).kind).toBe("invalid_response");
    });

    test(`${name}: an error says in one line what is wrong and never shows the key`, async () => {
      const echo = `We have detected your API key as ${FAKE_KEY}, that is ${encodeURIComponent(FAKE_KEY)} with ${FAKE_SECRET}`;
      for (const status of [200, 400, 401, 403, 404, 422, 429, 500]) {
        const context = recordingContext();
        const error = await failure(reply(status, echo), context);
        const jsonError = await failure(
          reply(status, { status: "error", code: status, message: echo, detail: echo, error: echo }),
          context,
        );
        const spoken = [
          error.message,
          jsonError.message,
          ...context.logs,
          ...context.waits,
          JSON.stringify(context.reports),
        ].join("\n");
        if (!KEYLESS.includes(name)) {
          expect(spoken).not.toContain(encodeURIComponent(FAKE_KEY));
          expect(spoken).not.toContain(FAKE_KEY);
        }
        if (name === "alpaca") expect(spoken).not.toContain(FAKE_SECRET);
        expect(error.message).not.toContain("\n");
      }
    });

    test(`${name}: a stop takes effect at once, even while an answer never comes`, async () => {
      fake.always = hang();
      const stop = new AbortController();
      const context = recordingContext(stop.signal);
      const before = fake.urls.length;
      const answer = providerOn(fake, name, {}, {}).fetchBars(window, context);
      while (fake.urls.length === before) await Bun.sleep(1);
      stop.abort(new Error("paused"));
      expect(answer).rejects.toThrow("paused");
      await answer.catch(() => {});
      fake.always = null;
    });

    if (!KEYLESS.includes(name)) {
      test(`${name}: a refused key is named as such, with the variable to check`, async () => {
        const provider = providerOn(fake, name, { [`${name.toUpperCase()}_API_KEY`]: "another-key" });
        const context = recordingContext();
        const error = await provider.fetchBars(window, context).catch((thrown) => thrown);
        expect(error.kind).toBe("auth");
        expect(error.message).toContain(`${name.toUpperCase()}_API_KEY`);
        expect(context.costs.length).toBe(1);
      });
    }
  });
}
