/** Where data and jobs go besides the database: the lake, and the job queue. */

import { INTERVALS } from "../domain/market/interval.ts";
import { isDecodable, isWebUrl, type Reader, withoutCredentials } from "./reader.ts";

/** A bucket, and what the names of its objects begin with (without the slash at its end, or empty). */
type S3Fact = "bucket" | "prefix" | "endpoint" | "region" | "accessKeyId" | "secretAccessKey";
export type S3Place = { readonly type: "s3" } & Readonly<Record<S3Fact, string>>;

/** Where a lake is. Plain data: it is sent to a thread. */
export type LakePlace = { readonly type: "folder"; readonly path: string } | S3Place;

/** The place as it may be printed. */
export const lakeName = (place: LakePlace): string =>
  place.type === "folder"
    ? place.path
    : `s3://${place.bucket}${place.prefix === "" ? "" : `/${place.prefix}`} at ${withoutCredentials(place.endpoint)}`;

/** `folder`, or `s3://bucket/prefix`; the variables of S3 are read only for the latter. */
export function readLake(read: Reader): LakePlace | undefined {
  const value = read.text("BARKEEP_LAKE");
  if (value === undefined) return undefined;
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(value)) return { type: "folder", path: value };
  const [bucket, ...prefix] = value
    .replace(/^s3:\/\//, "")
    .replace(/\/$/, "")
    .split("/");
  const isName = (each: string) => /^[A-Za-z0-9!_.*'()=-]+$/.test(each) && !/^\.+$/.test(each);
  if (!value.startsWith("s3://") || !/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket!) || !prefix.every(isName)) {
    const wants = "a folder, or s3://bucket/prefix";
    read.faults.push({ variable: "BARKEEP_LAKE", value: withoutCredentials(value), wants });
  }
  const key = (variable: string) => {
    const found = read.text(variable);
    if (found === undefined)
      read.faults.push({ variable, value: "", wants: "the bucket's key: BARKEEP_LAKE is s3://…" });
    return found ?? "";
  };
  const region = read.matching("S3_REGION", "us-east-1", /^[a-z0-9-]+$/, "a region such as us-east-1, or auto");
  return {
    ...{ type: "s3", bucket: bucket!, prefix: prefix.join("/"), region },
    endpoint: read.matching(
      "S3_ENDPOINT",
      `https://s3.${region}.amazonaws.com`,
      isWebUrl,
      "an http:// or https:// URL",
    ),
    accessKeyId: key("S3_ACCESS_KEY_ID"),
    secretAccessKey: key("S3_SECRET_ACCESS_KEY"),
  };
}

/** `all`, or `1d, AAPL:1m` */
export function readLakeFeatures(read: Reader): string[] {
  const interval = `(?:${INTERVALS.join("|")})`;
  const one = `(?:all|${interval}|[A-Za-z0-9.@-]+:${interval})`;
  const wants = "all, or intervals and series such as 1d, AAPL:1m, with commas between";
  const text = read.matching("BARKEEP_LAKE_FEATURES", "", new RegExp(`^${one}(?:\\s*,\\s*${one})*$`), wants);
  const names = text.split(",").flatMap((each) => each.trim() || []);
  return names.map((each) => (each.includes(":") ? each.replace(/^.*:/, (symbol) => symbol.toUpperCase()) : each));
}

/** Where the job queue is, if other processes take jobs from it. */
export interface QueuePlace {
  readonly kind: "redis" | "postgres";
  /** With its password: never shown. */
  readonly url: string;
}

/** The address as it may be printed: without user, password and parameters. */
export function queuePlaceName({ url }: QueuePlace): string {
  const { protocol, host, pathname } = new URL(url);
  return `${protocol}//${host}${pathname === "/" ? "" : pathname}`;
}

/** What must not be shown of it. */
export function queueSecrets({ url }: Pick<QueuePlace, "url">): string[] {
  const { password, searchParams } = new URL(url);
  return [password, decodeURIComponent(password), searchParams.get("password") ?? ""];
}

/** What must not be shown of either place. */
export const placeSecrets = (places: {
  readonly lake: LakePlace | undefined;
  readonly queue: QueuePlace | undefined;
}): string[] => [
  ...(places.lake?.type === "s3" ? [places.lake.accessKeyId, places.lake.secretAccessKey] : []),
  ...(places.queue === undefined ? [] : queueSecrets(places.queue)),
];

/** `redis://…` or `postgres://…` */
export function readQueue(read: Reader): QueuePlace | undefined {
  const variable = "BARKEEP_QUEUE";
  const url = read.text(variable);
  if (url === undefined) return undefined;
  const kind = /^rediss?:\/\//.test(url) ? "redis" : /^postgres(?:ql)?:\/\//.test(url) ? "postgres" : undefined;
  if (kind !== undefined && URL.canParse(url) && new URL(url).hostname !== "" && isDecodable(new URL(url))) {
    return { kind, url };
  }
  const wants = "redis://HOST:6379 or postgres://USER:PASSWORD@HOST/DATABASE (special characters as %40)";
  // Also of a text that is no URL, in which a password may stand anywhere.
  read.faults.push({
    variable,
    value: url.includes("@") ? url.replace(/^.*@/s, "***@") : withoutCredentials(url),
    wants,
  });
  return undefined;
}
