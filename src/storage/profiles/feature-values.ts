/** Features as they are stored: a list of names, and per profile the values in the order of that list. */

type Features = Readonly<Record<string, number | null>>;

/** Bytes of a value: Float64 in native byte order. */
const VALUE_BYTES = 8;

export interface EncodedFeatures {
  /** The names as JSON. */
  readonly names: string;
  /** One value per name, NaN for `null`. */
  readonly values: Buffer;
  /** How many features have a value. */
  readonly known: number;
}

export function encodeFeatures(features: Features): EncodedFeatures {
  const names = Object.keys(features);
  const values = new Float64Array(names.length);
  let known = 0;
  for (let at = 0; at < names.length; at++) {
    const value = features[names[at]!] ?? Number.NaN;
    values[at] = value;
    if (!Number.isNaN(value)) known += 1;
  }
  return { names: JSON.stringify(names), values: Buffer.from(values.buffer), known };
}

/** @param bytes a blob as the driver gives it */
export function decodeFeatures(names: readonly string[], bytes: unknown): Record<string, number | null> {
  const values = readValues(bytes);
  const features: Record<string, number | null> = {};
  for (const [at, name] of names.entries()) {
    const value = values[at]!;
    features[name] = Number.isNaN(value) ? null : value;
  }
  return features;
}

/** The values in a blob as the driver gives it: a buffer of a local file, an `ArrayBuffer` of a server. */
export function readValues(bytes: unknown): Float64Array {
  if (bytes instanceof ArrayBuffer) return new Float64Array(bytes);
  const { buffer, byteOffset, byteLength } = bytes as Uint8Array;
  // A row's bytes need not lie at a multiple of eight.
  if (byteOffset % VALUE_BYTES !== 0) return new Float64Array(new Uint8Array(bytes as Uint8Array).buffer);
  return new Float64Array(buffer, byteOffset, byteLength / VALUE_BYTES);
}
