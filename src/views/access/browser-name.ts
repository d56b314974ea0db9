/** What a `User-Agent` says of a browser, in a few words. */

/** In this order: most browsers also name those that they descend from. */
const BROWSERS: readonly (readonly [name: string, product: RegExp])[] = [
  ["Edge", /\bEdg(?:e|A|iOS)?\/(\d+)/],
  ["Opera", /\b(?:OPR|Opera|OPT)\/(\d+)/],
  ["Samsung Internet", /\bSamsungBrowser\/(\d+)/],
  ["Firefox", /\b(?:Firefox|FxiOS)\/(\d+)/],
  ["Chrome", /\b(?:Headless)?(?:Chrome|CriOS|Chromium)\/(\d+)/],
  ["Safari", /\bVersion\/(\d+)(?=.*\bSafari\/)/],
];

const SYSTEMS: readonly (readonly [name: string, words: RegExp])[] = [
  ["iPhone", /\biPhone\b/],
  ["iPad", /\biPad\b/],
  ["Android", /\bAndroid\b/],
  ["Windows", /\bWindows\b/],
  ["ChromeOS", /\bCrOS\b/],
  ["macOS", /\bMac OS X\b|\bMacintosh\b/],
  ["Linux", /\bLinux\b|\bX11\b/],
];

/** Longest text of a program that is no known browser. */
const MAX_OTHER = 40;

/** `Firefox 128 on Windows`; of another program the beginning of what it calls itself. Anyone can send any text. */
export function browserName(agent: string): string {
  for (const [name, product] of BROWSERS) {
    const version = product.exec(agent)?.[1];
    if (version === undefined) continue;
    const system = SYSTEMS.find(([, words]) => words.test(agent))?.[0];
    return `${name} ${version}${system === undefined ? "" : ` on ${system}`}`;
  }
  return agent.length <= MAX_OTHER ? agent : `${agent.slice(0, MAX_OTHER - 1)}…`;
}
