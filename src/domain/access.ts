/** Who may do what: scopes of people and tokens, and the scope that a request needs. */

import { quote } from "./errors.ts";

/** What people and programs may do: each scope includes those before it. */
const RANKS = ["read", "operate", "admin"] as const;

/** `worker` is for workers on other machines: it includes no other scope, and no other includes it. */
export const SCOPES = [...RANKS, "worker"] as const;
export type Scope = (typeof SCOPES)[number];

/** The sender of a request. */
export interface Actor {
  /** One of `OWN_ACTORS`, or as `actorOfToken` names a token. */
  readonly name: string;
  readonly scope: Scope;
}

/** Actors that are no token: `local` without a login, `owner` after one, `nobody` refused, and what the server itself runs. */
const OWN_ACTORS = ["owner", "local", "nobody", "server", "command line"] as const;

/** Letters of Cyrillic, Greek and Armenian, and digits, that look like letters of the actors' names. */
const LOOK_ALIKES: Readonly<Record<string, string>> = {
  ...{
    а: "a",
    α: "a",
    Ь: "b",
    ь: "b",
    β: "b",
    с: "c",
    ϲ: "c",
    ԁ: "d",
    е: "e",
    ε: "e",
    м: "m",
    μ: "m",
    п: "n",
    η: "n",
    ո: "n",
  },
  ...{ о: "o", ο: "o", օ: "o", 0: "o", г: "r", ѕ: "s", 5: "s", ѵ: "v", ν: "v", ԝ: "w", ω: "w", у: "y", γ: "y" },
  // These look the same in many typefaces.
  ...{ i: "l", і: "l", ι: "l", ı: "l", ӏ: "l", 1: "l" },
};

/** What remains of a name if only its looks count: no case, accents, spaces or signs, and one letter for those that look alike. */
const looksOf = (name: string): string =>
  [
    ...name
      .toLowerCase()
      .normalize("NFKD")
      .replace(/[^\p{L}\p{N}]/gu, ""),
  ]
    .map((each) => LOOK_ALIKES[each] ?? each)
    .join("");

const OWN_LOOKS = OWN_ACTORS.map(looksOf).join("|");
const LOOKS_OWN = new RegExp(`^(?:${looksOf("token")})*(?:${OWN_LOOKS})$`);

/** Whether a name may be taken for an actor that is no token, or for how the audit names a token of such a name. */
export const looksLikeOwnActor = (name: string): boolean => LOOKS_OWN.test(looksOf(name));

/** What the audit calls a token: by its name, or `token owner` if that could be somebody else's. */
export const actorOfToken = (name: string): string => (looksLikeOwnActor(name) ? `token ${name}` : name);

export const isScope = (value: unknown): value is Scope => SCOPES.includes(value as Scope);

/** Whether the scope `granted` covers `needed`. */
export function covers(granted: Scope, needed: Scope): boolean {
  if (granted === "worker" || needed === "worker") return granted === needed;
  return RANKS.indexOf(granted) >= RANKS.indexOf(needed);
}

/** What workers on other machines send. */
export const isOfWorker = (path: string): boolean => path.startsWith("/api/worker/");

/** POST requests that change nothing themselves: their parameters do not fit a URL. What `/mcp` changes is its own request. */
const READ_ONLY_POSTS = new Set([
  "/companies",
  "/companies/run",
  "/mcp",
  "/promises/preview",
  "/runs/preview",
  "/schedules/preset",
  "/schedules/preview",
  "/theme",
  "/zone",
  "/login",
  "/logout",
]);

/** Keys, tokens, where alerts go, the audit, and the deletion of old bars. */
const GUARDED =
  /^\/(?:settings|audit|alerts\/channels|storage\/prune|api\/(?:settings|tokens|audit|storage\/prune))(?:\/|$)/;

/** Who may be seen by all, and is stopped by admins. */
const OF_HOSTS = /^(?:\/api)?\/hosts(?:\/|$)/;

/** Pages that only ask whether to delete: who may not, need not be asked. */
const DELETIONS = /^\/(?:profiles|promises|schedules)\/[^/]+\/delete$/;

/** Whether a request changes what is stored; the writes of a worker's jobs wait and are refused by the job store. */
export function changesState(method: string, path: string): boolean {
  return (
    !isOfWorker(path) && method !== "GET" && method !== "HEAD" && method !== "OPTIONS" && !READ_ONLY_POSTS.has(path)
  );
}

/** Why a request is refused to `actor`: right for any name, also for one that is itself the word of a scope. */
export const lacksScope = ({ name, scope }: Actor, needed: Scope): string =>
  `needs the scope ${needed}; that of ${quote(name)} is ${scope}`;

/** Whether the scope may send a request to an address of this server, which may have a query and a fragment. */
export const maySend = (scope: Scope, method: string, address: string): boolean =>
  covers(scope, neededScope(method, address.replace(/[?#].*$/, "")));

/** The scope that a request needs. The providers' settings may be read by all: no key is shown there. */
export function neededScope(method: string, path: string): Scope {
  if (isOfWorker(path)) return "worker";
  if (path === "/settings" && !changesState(method, path)) return "read";
  if (GUARDED.test(path)) return "admin";
  if (OF_HOSTS.test(path) && changesState(method, path)) return "admin";
  return changesState(method, path) || DELETIONS.test(path) ? "operate" : "read";
}
