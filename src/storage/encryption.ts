/** Secrets at rest: AES-256-GCM under a key that is derived from a passphrase. Each secret is bound to its name. */

/** Iterations of PBKDF2-HMAC-SHA256, as OWASP's Password Storage Cheat Sheet recommends (2023). */
const ROUNDS = 600_000;
const SALT_BYTES = 16;
const IV_BYTES = 12;
const VERSION = "1";

export class Cipher {
  #key: Promise<CryptoKey> | null = null;

  /** @param salt of this database, base64 (`newSalt`) */
  constructor(
    private readonly passphrase: string,
    private readonly salt: string,
  ) {}

  /** Encrypts `text`, so that it can be decrypted only under the same name and with the same passphrase. */
  async close(name: string, text: string): Promise<string> {
    const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES));
    const sealed = await crypto.subtle.encrypt(
      parameters(name, iv),
      await this.#derive(),
      new TextEncoder().encode(text),
    );
    return [VERSION, base64(iv), base64(new Uint8Array(sealed))].join(".");
  }

  /** Decrypts what was encrypted under `name`; `null` if that was with another passphrase, or the data was changed. */
  async open(name: string, sealed: string): Promise<string | null> {
    const [version, iv, text] = sealed.split(".");
    if (version !== VERSION || !iv || !text) return null;
    try {
      const plain = await crypto.subtle.decrypt(parameters(name, bytes(iv)), await this.#derive(), bytes(text));
      return new TextDecoder().decode(plain);
    } catch {
      return null;
    }
  }

  /** Derives the key on first use: it is slow by design. */
  #derive(): Promise<CryptoKey> {
    this.#key ??= crypto.subtle
      .importKey("raw", new TextEncoder().encode(this.passphrase), "PBKDF2", false, ["deriveKey"])
      .then((base) =>
        crypto.subtle.deriveKey(
          { name: "PBKDF2", hash: "SHA-256", salt: bytes(this.salt), iterations: ROUNDS },
          base,
          { name: "AES-GCM", length: 256 },
          false,
          ["encrypt", "decrypt"],
        ),
      );
    return this.#key;
  }
}

export const newSalt = (): string => base64(crypto.getRandomValues(new Uint8Array(SALT_BYTES)));

const parameters = (name: string, iv: Uint8Array<ArrayBuffer>) => ({
  name: "AES-GCM",
  iv,
  additionalData: new TextEncoder().encode(name),
});
const base64 = (data: Uint8Array) => data.toBase64();
const bytes = (text: string) => Uint8Array.fromBase64(text);
