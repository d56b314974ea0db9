/** Where a request comes from. Forwarded headers count only if a proxy that the settings name has sent them. */

import { BlockList, isIP } from "node:net";
import type { Context } from "hono";

/** Most proxies between a client and this server. */
const MAX_PROXIES = 20;

export class ClientAddresses {
  readonly #trusted = new BlockList();

  readonly #isPublicTls: boolean;

  /**
   * @param trusted addresses and networks (`10.0.0.0/8`) of the proxies
   * @param publicUrl how the server is reached from outside
   */
  constructor(trusted: readonly string[], publicUrl?: string) {
    this.#isPublicTls = publicUrl?.startsWith("https:") === true;
    for (const each of trusted) {
      const [address, bits] = each.split("/") as [string, string?];
      const family = isIP(address) === 6 ? "ipv6" : "ipv4";
      if (bits === undefined) this.#trusted.addAddress(address, family);
      else this.#trusted.addSubnet(address, Number(bits), family);
    }
  }

  /** The address of the client; `unknown` without a connection. */
  of(c: Context): string {
    let address = this.#peer(c);
    const forwarded = (c.req.header("X-Forwarded-For") ?? "").split(",").slice(-MAX_PROXIES);
    // From the nearest proxy on: what lies before the first address that is not trusted, anybody may have written.
    while (this.#isTrusted(address)) {
      const next = plainAddress(forwarded.pop()?.trim() ?? "");
      if (isIP(next) === 0) break;
      address = next;
    }
    return address;
  }

  /** Whether the site is visited over TLS: this request is, or `BARKEEP_URL` says so, even if no proxy is trusted. */
  isSiteSecure(c: Context): boolean {
    return this.#isPublicTls || this.isSecure(c);
  }

  /** Whether this request came over TLS, to this server or to a trusted proxy in front of it. */
  isSecure(c: Context): boolean {
    if (new URL(c.req.url).protocol === "https:") return true;
    const scheme = c.req.header("X-Forwarded-Proto")?.split(",").at(-1)?.trim();
    return scheme === "https" && this.#isTrusted(this.#peer(c));
  }

  #peer(c: Context): string {
    const server = c.env as Partial<Bun.Server<unknown>> | undefined;
    return plainAddress(server?.requestIP?.(c.req.raw)?.address ?? "unknown");
  }

  #isTrusted(address: string): boolean {
    const family = isIP(address);
    return family !== 0 && this.#trusted.check(address, family === 6 ? "ipv6" : "ipv4");
  }
}

/** An address without its port, and an IPv4 address that is written as IPv6, in any spelling, as IPv4. */
function plainAddress(text: string): string {
  const address = /^\[(.*)\](?::\d+)?$/.exec(text)?.[1] ?? /^([\d.]+):\d+$/.exec(text)?.[1] ?? text;
  if (isIP(address) !== 6 || address.includes("%")) return address;
  const mapped = /^\[::ffff:([\da-f]+):([\da-f]+)\]$/.exec(new URL(`http://[${address}]`).hostname);
  if (mapped === null) return address;
  return mapped
    .slice(1)
    .map((group) => Number.parseInt(group, 16))
    .map((each) => `${each >> 8}.${each & 255}`)
    .join(".");
}

/** What attempts are counted for: an IPv4 address, or the /64 network that one IPv6 client has to itself. */
export function networkOf(address: string): string {
  if (isIP(address) !== 6) return address.slice(0, 64);
  const [head = "", tail] = new URL(`http://[${address.replace(/%.*$/, "")}]`).hostname.slice(1, -1).split("::");
  const groups = head === "" ? [] : head.split(":");
  const after = tail === undefined || tail === "" ? [] : tail.split(":");
  const whole =
    tail === undefined ? groups : [...groups, ...Array(8 - groups.length - after.length).fill("0"), ...after];
  return `${whole.slice(0, 4).join(":")}::/64`;
}
