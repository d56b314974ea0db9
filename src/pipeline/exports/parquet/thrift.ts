/** Structures in Thrift's compact protocol, as Parquet's metadata is written. Only the kinds that it needs. */

/** Wire types of a field or a list element. */
const [TRUE, FALSE, I32, I64, BINARY, LIST, STRUCT] = [1, 2, 5, 6, 8, 9, 12];

/** Writes the fields of one structure, in ascending order of their ids. */
type Fields = (out: ThriftWriter) => void;

/** A growing buffer with one method per kind of field. Structures and lists take a callback for what is in them. */
export class ThriftWriter {
  #bytes = new Uint8Array(256);
  #length = 0;
  #lastId = 0;

  /** One structure as bytes, with its stop mark: complete by itself, or an element of a list. */
  static struct(fields: Fields): Uint8Array<ArrayBuffer> {
    const out = new ThriftWriter();
    out.#struct(fields);
    return out.#bytes.slice(0, out.#length);
  }

  bool(id: number, value: boolean): void {
    this.#field(id, value ? TRUE : FALSE);
  }

  int32(id: number, value: number): void {
    this.#field(id, I32);
    this.#zigzag(value);
  }

  /** A 64-bit integer of at most 2^52 in size. */
  int64(id: number, value: number): void {
    this.#field(id, I64);
    this.#zigzag(value);
  }

  binary(id: number, value: Uint8Array | string): void {
    this.#field(id, BINARY);
    this.#binary(value);
  }

  struct(id: number, fields: Fields): void {
    this.#field(id, STRUCT);
    this.#struct(fields);
  }

  int32List(id: number, values: readonly number[]): void {
    this.#list(id, I32, values.length);
    for (const value of values) this.#zigzag(value);
  }

  binaryList(id: number, values: readonly string[]): void {
    this.#list(id, BINARY, values.length);
    for (const value of values) this.#binary(value);
  }

  /** A list of structures that `ThriftWriter.struct` has written. */
  structList(id: number, structs: readonly Uint8Array[]): void {
    this.#list(id, STRUCT, structs.length);
    for (const struct of structs) this.#append(struct);
  }

  #struct(fields: Fields): void {
    const outer = this.#lastId;
    this.#lastId = 0;
    fields(this);
    this.#lastId = outer;
    this.#byte(0);
  }

  /** All ids of Parquet's structures are less than 16 apart, so the short form of the header is enough. */
  #field(id: number, type: number): void {
    this.#byte(((id - this.#lastId) << 4) | type);
    this.#lastId = id;
  }

  #list(id: number, type: number, length: number): void {
    this.#field(id, LIST);
    if (length < 15) {
      this.#byte((length << 4) | type);
    } else {
      this.#byte(0xf0 | type);
      this.#varint(length);
    }
  }

  #binary(value: Uint8Array | string): void {
    const bytes = typeof value === "string" ? new TextEncoder().encode(value) : value;
    this.#varint(bytes.length);
    this.#append(bytes);
  }

  #zigzag(value: number): void {
    this.#varint(zigzag(value));
  }

  #varint(value: number): void {
    this.#reserve(8);
    this.#length = writeVarint(this.#bytes, this.#length, value);
  }

  #byte(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#length++] = value;
  }

  #append(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  #reserve(more: number): void {
    if (this.#length + more <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(2 * this.#bytes.length, this.#length + more));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }
}

/** Signed to unsigned integers, so that small ones stay short: 0, -1, 1, -2 become 0, 1, 2, 3. */
export const zigzag = (value: number): number => (value < 0 ? -2 * value - 1 : 2 * value);

/** Writes an unsigned integer below 2^53 in groups of 7 bits (at most 8 bytes) and returns where it ends. */
export function writeVarint(out: Uint8Array, at: number, value: number): number {
  let end = at;
  let rest = value;
  while (rest >= 0x80) {
    out[end++] = (rest % 0x80) | 0x80;
    rest = Math.floor(rest / 0x80);
  }
  out[end++] = rest;
  return end;
}
