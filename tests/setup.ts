/** Loaded before every test file. */

import { setDefaultTimeout } from "bun:test";
import { FAKE_WORKERS } from "./helpers/bundle/programs.ts";
import { reusedWorker } from "./helpers/bundle/threads.ts";

// Whole servers and browsers start in some tests: on a busy machine that takes longer than the five seconds of Bun.
setDefaultTimeout(60_000);

/** A worker of the application runs on a thread that is used again, one of the tests starts from its bundle. */
globalThis.Worker = new Proxy(Worker, {
  construct: (Thread, [script, options]: ConstructorParameters<typeof Worker>) =>
    reusedWorker(String(script)) ?? new Thread(FAKE_WORKERS.get(String(script)) ?? script, options),
});

/** The work of deriving a key is slow by design, and the same for the same passphrase and salt: each is derived once. */
const { importKey, deriveKey } = crypto.subtle;
const passphrases = new Map<string, Promise<CryptoKey>>();
const derived = new WeakMap<CryptoKey, Map<string, Promise<CryptoKey>>>();
const remember = <K, V>(map: Map<K, V>, key: K, make: () => V): V => {
  const value = map.get(key) ?? make();
  map.set(key, value);
  return value;
};
Object.assign(crypto.subtle, {
  importKey(...args: Parameters<typeof importKey>) {
    const make = () => importKey.apply(crypto.subtle, args);
    return args[2] === "PBKDF2"
      ? remember(passphrases, Buffer.from(args[1] as Uint8Array).toString("hex"), make)
      : make();
  },
  deriveKey(...args: Parameters<typeof deriveKey>) {
    const [parameters, passphrase] = args;
    const keys = derived.get(passphrase) ?? new Map();
    derived.set(passphrase, keys);
    return remember(keys, JSON.stringify(parameters), () => deriveKey.apply(crypto.subtle, args));
  },
});
