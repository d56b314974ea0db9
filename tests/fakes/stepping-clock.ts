/** Preloaded into a server: its wall clock is off by CLOCK_OFFSET_MS, and by CLOCK_STEP_MS more from SIGUSR2 on. */

const RealDate = Date;
const realNow = Date.now;
let offset = Number(process.env.CLOCK_OFFSET_MS ?? 0);
const now = () => realNow() + offset;

globalThis.Date = new Proxy(RealDate, {
  construct: (target, args, caller) => Reflect.construct(target, args.length === 0 ? [now()] : args, caller),
  apply: () => new RealDate(now()).toString(),
  get: (target, name) => (name === "now" ? now : Reflect.get(target, name)),
});

if (Bun.isMainThread)
  process.on("SIGUSR2", () => {
    offset += Number(process.env.CLOCK_STEP_MS ?? 0);
  });
