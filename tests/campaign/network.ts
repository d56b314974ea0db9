/**
 * The network between the workers and the server, which can be cut: a network namespace for each worker where this process
 * may create some (root on Linux), else a proxy on loopback that passes nothing on.
 */

import { join } from "node:path";
import { startCuttingProxy } from "../fakes/proxies/cutting-proxy.ts";

/** How a worker is cut off: packets to the server are dropped, they are refused, or its link is down, vendor included. */
export const CUTS = ["dropped", "refused", "link down"] as const;
export type Cut = (typeof CUTS)[number];

/** Where the server can be reached by the workers: an address for `Bun.serve`. */
type Listen = { readonly hostname: string; readonly port: 0 } | { readonly unix: string };

export interface Network extends AsyncDisposable {
  /** Which of the two this is, for the report. */
  readonly words: string;
  /** Where vendor and queue listen, so that the workers reach them. */
  readonly host: string;
  readonly listen: Listen;
  /** Connects the workers, when the server's side listens at this port. */
  connect(port: number | undefined): Promise<void>;
  /** The server's address as a worker sees it, and what its command begins with. */
  of(worker: number): { readonly url: string; readonly command: readonly string[] };
  cut(worker: number, manner: Cut): void;
  heal(worker: number): void;
}

const ip = (...args: string[]) => Bun.spawnSync(["ip", ...args], { stderr: "pipe" });

function must(...args: string[]): void {
  const { exitCode, stderr } = ip(...args);
  if (exitCode !== 0) throw new Error(`ip ${args.join(" ")}: ${stderr.toString().trim()}`);
}

/** @param folder for sockets, if no namespaces can be made */
export function openNetwork(workers: number, folder: string): Network {
  const why = whyNoNamespaces();
  return why === null ? namespaces(workers) : proxies(workers, folder, why);
}

function whyNoNamespaces(): string | null {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return "only root on Linux makes network namespaces";
  if (Bun.which("ip") === null) return "there is no program ip";
  const name = `bk${process.pid}t`;
  const { exitCode, stderr } = ip("netns", "add", name);
  ip("netns", "del", name);
  return exitCode === 0 ? null : stderr.toString().trim();
}

function namespaces(workers: number): Network {
  const slot = process.pid % 128;
  const base = `10.${64 + slot}`;
  const [vendor, server] = [`${base}.255.1`, `${base}.255.2`];
  const nameOf = (worker: number) => `bk${process.pid}w${worker}`;
  const inside = (worker: number, ...args: string[]) => must("-n", nameOf(worker), ...args);
  let url = "";
  const close = () => {
    for (let worker = 0; worker < workers; worker++) ip("netns", "del", nameOf(worker));
    for (const address of [vendor, server]) ip("addr", "del", `${address}/32`, "dev", "lo");
  };
  try {
    for (const address of [vendor, server]) must("addr", "add", `${address}/32`, "dev", "lo");
    for (let worker = 0; worker < workers; worker++) {
      const here = `bk${slot}h${worker}`;
      must("netns", "add", nameOf(worker));
      must("link", "add", here, "type", "veth", "peer", "name", "eth0", "netns", nameOf(worker));
      must("addr", "add", `${base}.${worker}.1/24`, "dev", here);
      must("link", "set", here, "up");
      inside(worker, "link", "set", "lo", "up");
      inside(worker, "addr", "add", `${base}.${worker}.2/24`, "dev", "eth0");
      inside(worker, "link", "set", "eth0", "up");
      inside(worker, "route", "add", "default", "via", `${base}.${worker}.1`);
    }
  } catch (error) {
    close();
    throw error;
  }
  return {
    words: "network namespaces",
    host: vendor,
    listen: { hostname: server, port: 0 },
    async connect(port) {
      url = `http://${server}:${port}`;
    },
    of: (worker) => ({ url, command: ["ip", "netns", "exec", nameOf(worker)] }),
    cut(worker, manner) {
      if (manner === "link down") inside(worker, "link", "set", "eth0", "down");
      else inside(worker, "route", "add", manner === "dropped" ? "blackhole" : "unreachable", `${server}/32`);
    },
    heal(worker) {
      ip("-n", nameOf(worker), "route", "del", `${server}/32`);
      inside(worker, "link", "set", "eth0", "up");
      // It went with the link.
      ip("-n", nameOf(worker), "route", "replace", "default", "via", `${base}.${worker}.1`);
    },
    async [Symbol.asyncDispose]() {
      close();
    },
  };
}

function proxies(workers: number, folder: string, why: string): Network {
  const socket = join(folder, "s");
  let made: Awaited<ReturnType<typeof startCuttingProxy>>[] = [];
  return {
    words: `proxies on loopback (${why})`,
    host: "127.0.0.1",
    listen: { unix: socket },
    async connect() {
      made = await Promise.all(Array.from({ length: workers }, () => startCuttingProxy(socket)));
    },
    of: (worker) => ({ url: `http://127.0.0.1:${made[worker]!.port}`, command: [] }),
    cut(worker, manner) {
      if (manner === "dropped") made[worker]!.deafen();
      else made[worker]!.cut();
    },
    heal: (worker) => made[worker]!.heal(),
    async [Symbol.asyncDispose]() {
      for (const proxy of made) await proxy.close();
    },
  };
}
