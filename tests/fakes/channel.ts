/** A server on loopback that takes posted messages, and accepts, refuses, redirects or stalls them. */

export interface FakeChannel extends AsyncDisposable {
  readonly url: string;
  /** `accept`, a status to answer, `redirect` to itself, or `stall`: never an answer. */
  behaviour: "accept" | "redirect" | "stall" | number;
  /** What stands before the address in the answer of a refusal. */
  before: string;
  readonly posts: { readonly path: string; readonly headers: Headers; readonly text: string }[];
}

export function startChannel(): FakeChannel {
  const posts: FakeChannel["posts"] = [];
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    idleTimeout: 0,
    async fetch(request) {
      posts.push({ path: new URL(request.url).pathname, headers: request.headers, text: await request.text() });
      const { behaviour } = fake;
      if (behaviour === "stall") return new Promise<Response>(() => {});
      if (behaviour === "redirect") return Response.redirect("/elsewhere", 307);
      // As some vendors do, it repeats the address that was called.
      if (typeof behaviour === "number")
        return new Response(`${fake.before}refused ${request.url}`, { status: behaviour });
      return new Response("ok");
    },
  });
  const fake: FakeChannel = {
    url: server.url.href.replace(/\/$/, ""),
    behaviour: "accept",
    before: "",
    posts,
    [Symbol.asyncDispose]: () => server.stop(true),
  };
  return fake;
}
