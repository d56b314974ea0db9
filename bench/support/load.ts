/**
 * Sends GET requests to an address over so many connections for so many milliseconds (or one request, for 0) and reports
 * how many were answered, how long each took and how many bytes came, from a process of its own.
 */

export interface LoadRequest {
  readonly url: string;
  readonly connections: number;
  readonly ms: number;
}

export interface LoadReport {
  readonly seconds: number;
  readonly bytes: number;
  /** Milliseconds of each request, ascending. */
  readonly times: readonly number[];
}

process.on("message", async ({ url, connections, ms }: LoadRequest) => {
  const times: number[] = [];
  let bytes = 0;
  const start = performance.now();
  const end = start + ms;
  const send = async () => {
    do {
      const before = performance.now();
      const response = await fetch(url, { headers: { "Accept-Encoding": "identity" } });
      if (!response.ok) throw new Error(`${url}: ${response.status}`);
      for await (const piece of response.body!) bytes += piece.byteLength;
      times.push(performance.now() - before);
    } while (performance.now() < end);
  };
  await Promise.all(Array.from({ length: connections }, send));
  const report: LoadReport = {
    seconds: (performance.now() - start) / 1000,
    bytes,
    times: times.toSorted((a, b) => a - b),
  };
  process.send!(report);
});
