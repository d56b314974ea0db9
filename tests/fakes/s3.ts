/**
 * An S3 server on loopback: s3rver, behind a front that checks every signature by the specification (s3rver leaves out
 * the slash after a bucket, so it cannot check a list) and fails in chosen ways.
 */

import { createHash, createHmac } from "node:crypto";
import { readdirSync } from "node:fs";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import S3rver from "@20minutes/s3rver";
import type { S3Place } from "../../src/config/places.ts";
import { temporaryFolder } from "../helpers/folder.ts";

/** `deny`: 403; `slow`: 503; `cut`: the connection ends within the answer; `hang`: no answer. */
type Failure = "deny" | "slow" | "cut" | "hang";

const KEY = { accessKeyId: "AKIAEXAMPLEOFBARKEEP", secretAccessKey: "wJalrXUtnFEMI/K7MDENG/secret+of=lake" };
/** The only key that s3rver knows. */
const INNER_KEY = "S3RVER";

export async function startS3(bucket = "prices") {
  const folder = temporaryFolder();
  const inner = new S3rver({
    ...{ address: "127.0.0.1", port: 0, silent: true, directory: folder.path },
    ...{ allowMismatchedSignatures: true, configureBuckets: [{ name: bucket }] },
  });
  const target = `http://127.0.0.1:${(await inner.run()).port}`;
  const requests: string[] = [];
  const hanging = new Set<() => void>();
  let failure: { readonly how: Failure; readonly on: RegExp } | null = null;
  let left = 0;
  let pageSize: number | null = null;
  const front = createServer(async (request, response) => {
    const { method = "", url = "" } = request;
    const line = `${method} ${decodeURIComponent(url)}`;
    requests.push(line);
    const body = Buffer.concat(await Array.fromAsync(request as AsyncIterable<Uint8Array>));
    const refuse = (status: number, code: string, message: string) => {
      response.writeHead(status, { "Content-Type": "application/xml" });
      response.end(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>${message}</Message></Error>`);
    };
    if (failure?.on.test(line) && left-- > 0) {
      if (failure.how === "deny") return refuse(403, "AccessDenied", `Access denied to ${KEY.accessKeyId}`);
      if (failure.how === "slow") return refuse(503, "SlowDown", "Please reduce your request rate");
      if (failure.how === "hang") return void hanging.add(() => response.destroy());
      response.writeHead(200, { "Content-Length": "1000000" });
      response.write("half of it", () => response.destroy());
      return;
    }
    if (!isSigned(request)) return refuse(403, "SignatureDoesNotMatch", "The signature does not match");
    const headers = new Headers(request.headers as Record<string, string>);
    headers.set("Authorization", headers.get("Authorization")!.replace(KEY.accessKeyId, INNER_KEY));
    const answer = await fetch(target + url.replace(/continuation-token=[^&]*&/, ""), {
      ...{ method, headers, redirect: "manual" },
      ...(["PUT", "POST"].includes(method) && { body }),
    });
    const isPaged = pageSize !== null && url.includes("list-type=2");
    const length = isPaged ? null : answer.headers.get("Content-Length");
    const content = isPaged ? Buffer.from(pageOf(await answer.text(), url, pageSize!)) : await answer.bytes();
    const kept = [...answer.headers].filter(([name]) => !["connection", "transfer-encoding"].includes(name));
    response.writeHead(answer.status, { ...Object.fromEntries(kept), "content-length": length ?? content.length });
    response.end(content);
  });
  await new Promise<void>((resolve) => front.listen(0, "127.0.0.1", resolve));
  const { port } = front.address() as AddressInfo;
  const place: S3Place = {
    type: "s3",
    bucket,
    prefix: "my/lake",
    endpoint: `http://127.0.0.1:${port}`,
    region: "auto",
    ...KEY,
  };
  return {
    place,
    env: {
      BARKEEP_LAKE: `s3://${bucket}/${place.prefix}`,
      ...{ S3_ENDPOINT: place.endpoint, S3_REGION: place.region },
      ...{ S3_ACCESS_KEY_ID: place.accessKeyId, S3_SECRET_ACCESS_KEY: place.secretAccessKey },
    },
    /** All that was asked, as `PUT /bucket/key`. */
    requests,
    /** The next `count` requests that match fail. */
    fail(how: Failure, on = /./, count = Number.POSITIVE_INFINITY) {
      [failure, left] = [{ how, on }, count];
    },
    heal() {
      failure = null;
      for (const end of hanging) end();
    },
    /** The most names of one list; `null`: as S3 has it. */
    set pageSize(size: number | null) {
      pageSize = size;
    },
    /** The names of the parts in the lake, in order. */
    parts: () =>
      readdirSync(folder.path, { recursive: true, encoding: "utf8" })
        .flatMap((name) => /my\/lake\/(.*part-[0-9a-f]{16}\.parquet)(?=\._S3rver_object$|$)/.exec(name)?.[1] ?? [])
        .toSorted(),
    async [Symbol.asyncDispose]() {
      for (const end of hanging) end();
      front.closeAllConnections();
      await new Promise((resolve) => front.close(resolve));
      await inner.close();
      folder[Symbol.dispose]();
    },
  };
}

/** A part of a list, as S3 answers: s3rver's own needs a cipher that this runtime has not. */
function pageOf(list: string, url: string, size: number): string {
  const token = new URLSearchParams(url.split("?")[1]).get("continuation-token") ?? "";
  const all = list.match(/<Contents>.*?<\/Contents>/gs) ?? [];
  const keyOf = (entry: string) => /<Key>(.*?)<\/Key>/.exec(entry)![1]!;
  const rest = all.filter((entry) => keyOf(entry) > token).toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  const page = rest.slice(0, size);
  const next = `<NextContinuationToken>${keyOf(page.at(-1) ?? "<Key></Key>")}</NextContinuationToken>`;
  const isTruncated = rest.length > size;
  const [head = ""] = list.split(/<Contents>|<\/ListBucketResult>/);
  return `${head.replace(/<IsTruncated>\w+/, `<IsTruncated>${isTruncated}`)}${isTruncated ? next : ""}${page.join("")}</ListBucketResult>`;
}

/** Signature Version 4 of a request that names its signed headers, with the path and query as they were sent. */
function isSigned({ method, url = "", headers }: IncomingMessage): boolean {
  const pattern =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8}\/[^/]+\/s3\/aws4_request), ?SignedHeaders=([^,]+), ?Signature=(\w+)$/;
  const [, key, scope = "", signed = "", signature] = pattern.exec(headers.authorization ?? "") ?? [];
  const [name = "", query = ""] = url.split("?");
  const lines = signed.split(";").map((header) => `${header}:${headers[header]}\n`);
  const parameters = query.split("&").filter((each) => each !== "");
  const sorted = parameters.map((each) => (each.includes("=") ? each : `${each}=`)).toSorted();
  const canonical = [...[method, name, sorted.join("&"), lines.join(""), signed], headers["x-amz-content-sha256"]].join(
    "\n",
  );
  const date = headers["x-amz-date"];
  const text = ["AWS4-HMAC-SHA256", date, scope, createHash("sha256").update(canonical).digest("hex")].join("\n");
  const sign = (secret: string | Buffer, words: string) => createHmac("sha256", secret).update(words).digest();
  const signer = scope.split("/").reduce<string | Buffer>(sign, `AWS4${KEY.secretAccessKey}`);
  return key === KEY.accessKeyId && sign(signer, text).toString("hex") === signature;
}
