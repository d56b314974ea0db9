/**
 * Many viewers in a process of their own: connects `count` of them to an address, reports when all have received their
 * first bytes, and then which messages arrived and when (a message's id is the time it was sent). `stuck` more viewers
 * stop reading after their first bytes.
 */

interface Order {
  readonly port: number;
  readonly path: string;
  readonly count: number;
  readonly stuck?: number;
}

const now = () => performance.timeOrigin + performance.now();
const decoder = new TextDecoder("latin1");

process.on("message", ({ port, path, count, stuck = 0 }: Order) => {
  const arrivals: [string, number][] = [];
  let connected = 0;
  for (let i = 0; i < count + stuck; i++) {
    const reads = i < count;
    let begun = false;
    void Bun.connect({
      hostname: "127.0.0.1",
      port,
      socket: {
        open: (socket) => void socket.write(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`),
        data(socket, chunk) {
          const at = now();
          if (!begun) {
            begun = true;
            connected += 1;
            if (connected === count + stuck) process.send!("connected");
          }
          if (!reads) return void socket.pause();
          for (const [, id] of decoder.decode(chunk).matchAll(/^id: (\S+)$/gm)) arrivals.push([id!, at]);
        },
      },
    });
  }
  process.on("message", (message: unknown) => {
    if (message === "report") process.send!(arrivals);
  });
});
