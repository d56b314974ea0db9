/** In which currency EODHD's prices are, and what its dividends are in terms of it. */

import { z } from "zod";

/** The currencies in which exchanges quote; London, Johannesburg and Tel Aviv in hundredths. */
const PRICE_CURRENCIES: Readonly<Record<string, string>> = {
  US: "USD",
  LSE: "GBX",
  ...Object.fromEntries(
    ["XETRA", "F", "PA", "AS", "BR", "MI", "MC", "LS", "VI", "HE", "IR", "AT"].map((code) => [code, "EUR"]),
  ),
  SW: "CHF",
  TO: "CAD",
  V: "CAD",
  AU: "AUD",
  HK: "HKD",
  KO: "KRW",
  KQ: "KRW",
  SHG: "CNY",
  SHE: "CNY",
  NSE: "INR",
  BSE: "INR",
  ST: "SEK",
  CO: "DKK",
  OL: "NOK",
  WAR: "PLN",
  SA: "BRL",
  MX: "MXN",
  JSE: "ZAC",
  TA: "ILA",
  TW: "TWD",
};
const HUNDREDTHS: Readonly<Record<string, string>> = { GBX: "GBP", ZAC: "ZAR", ILA: "ILS" };

/** The code of a currency: pence are written as `GBX` and as `GBp`. */
const currencyCode = (text: string) => (text === "GBp" ? "GBX" : text.toUpperCase());

/** Whether a payment is in a currency in whose hundredths shares of the exchange are quoted: some are not. */
export const isInHundreds = (currency: string | null | undefined, exchange: string) =>
  !!currency && HUNDREDTHS[PRICE_CURRENCIES[exchange] ?? ""] === currencyCode(currency);

/**
 * A payment in the currency of the prices; with its own currency where that is not known to be the same.
 * @param quoted the currency of the ticker's own prices, where it was looked up
 */
export function inPriceCurrency(value: number, currency: string | null | undefined, exchange: string, quoted?: string) {
  if (!currency) return { value };
  const paid = currencyCode(currency);
  const prices = isInHundreds(currency, exchange) ? (quoted ?? "") : (PRICE_CURRENCIES[exchange] ?? "");
  if (paid === prices) return { value };
  return HUNDREDTHS[prices] === paid ? { value: value * 100 } : { value, currency: paid };
}

const listed = z.object({ Code: z.string(), Exchange: z.string(), Currency: z.string() });

/** The currency of the ticker that EODHD calls `code`, from the answer to a search; `undefined` if it is not in it. */
export function currencyIn(answer: readonly unknown[], code: string): string | undefined {
  for (const element of answer) {
    const { data } = listed.safeParse(element);
    if (data && `${data.Code}.${data.Exchange}` === code) return currencyCode(data.Currency);
  }
  return undefined;
}
