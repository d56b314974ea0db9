/** A reader of server-sent events. */

interface SseEvent {
  readonly event: string;
  readonly id: string | undefined;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into events of every shape
  readonly data: any;
}

export interface EventReader extends AsyncDisposable {
  /** The next event; throws when the stream has ended. */
  next(): Promise<SseEvent>;
  /** All events up to and including the first that `stop` accepts. */
  until(stop: (event: SseEvent) => boolean): Promise<SseEvent[]>;
  close(): Promise<void>;
}

/** Follows `GET /api/events` (or another stream of JSON events); comments are left out. */
export async function readEvents(url: string, headers: Record<string, string> = {}): Promise<EventReader> {
  const abort = new AbortController();
  const response = await fetch(url, { headers, signal: abort.signal });
  if (!response.ok || response.body === null) throw new Error(`GET ${url}: ${response.status}`);
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  const decoder = new TextDecoder();
  let text = "";
  const waiting: SseEvent[] = [];

  const next = async (): Promise<SseEvent> => {
    for (;;) {
      const first = waiting.shift();
      if (first) return first;
      const { done, value } = await reader.read();
      if (done) throw new Error("the stream has ended");
      text += decoder.decode(value, { stream: true });
      const blocks = text.split("\n\n");
      text = blocks.pop()!;
      for (const block of blocks) if (!block.startsWith(":")) waiting.push(parse(block));
    }
  };
  const leave = async () => {
    abort.abort();
    await reader.closed.catch(() => {});
  };
  return {
    next,
    close: leave,
    async until(stop) {
      const seen: SseEvent[] = [];
      for (;;) {
        const event = await next();
        seen.push(event);
        if (stop(event)) return seen;
      }
    },
    [Symbol.asyncDispose]: leave,
  };
}

function parse(block: string): SseEvent {
  const fields = block.split("\n").map((line) => line.split(/: (.*)/s) as [string, string]);
  const of = (name: string) => fields.find(([field]) => field === name)?.[1];
  return { event: of("event") ?? "message", id: of("id"), data: JSON.parse(of("data") ?? "null") };
}
