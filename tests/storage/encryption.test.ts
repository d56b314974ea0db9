import { expect, test } from "bun:test";
import { Cipher, newSalt } from "../../src/storage/encryption.ts";

const SECRET = "a passphrase of the test";

test("an encrypted value is decrypted with the same passphrase, salt and name, and only so", async () => {
  const salt = newSalt();
  const cipher = new Cipher(SECRET, salt);
  const sealed = await cipher.close("ACME_KEY", "k3y");
  expect(sealed).not.toContain("k3y");
  expect(await new Cipher(SECRET, salt).open("ACME_KEY", sealed)).toBe("k3y");
  expect(await cipher.open("OTHER_KEY", sealed)).toBeNull();
  expect(await new Cipher("another passphrase", salt).open("ACME_KEY", sealed)).toBeNull();
  expect(await new Cipher(SECRET, newSalt()).open("ACME_KEY", sealed)).toBeNull();
});

test("the same text is never encrypted the same way twice, and tampering is detected", async () => {
  const cipher = new Cipher(SECRET, newSalt());
  const [one, two] = await Promise.all([cipher.close("K", "k3y"), cipher.close("K", "k3y")]);
  expect(one).not.toBe(two);
  const [version, iv, text] = one!.split(".");
  const flipped = Uint8Array.fromBase64(text!);
  flipped[0]! ^= 1;
  expect(await cipher.open("K", [version, iv, flipped.toBase64()].join("."))).toBeNull();
  for (const nonsense of ["", "1", "1..", "1.!.!", `2.${iv}.${text}`, "plain"])
    expect(await cipher.open("K", nonsense)).toBeNull();
});
