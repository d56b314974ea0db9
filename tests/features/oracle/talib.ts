/**
 * TA-Lib's own C code, as WebAssembly from the `talib-web` package. We call the compiled functions ourselves: the
 * package's wrapper passes an end index one past the last bar, and takes over the process's error handlers.
 */

/** Where the binary expects its stack and heap, and how much memory it was linked for (16 MB). */
const [MEMORY_BASE, HEAP_BASE, PAGES] = [1024, 5_247_776, 256];

type Exported = (...args: number[]) => number;

const binary = Bun.file(new URL(import.meta.resolve("talib-web/lib/talib.wasm")));
const memory = new WebAssembly.Memory({ initial: PAGES, maximum: PAGES });
const { instance } = await WebAssembly.instantiate(await binary.arrayBuffer(), {
  env: {
    memory,
    __memory_base: new WebAssembly.Global({ value: "i32", mutable: false }, MEMORY_BASE),
    __stack_pointer: new WebAssembly.Global({ value: "i32", mutable: true }, HEAP_BASE),
    emscripten_resize_heap: () => 0,
  },
  "GOT.mem": { __heap_base: new WebAssembly.Global({ value: "i32", mutable: true }, HEAP_BASE) },
});
const exported = instance.exports as unknown as Record<string, Exported>;
exported.__wasm_call_ctors!();

/** A function whose inputs already lie in TA-Lib's memory: `run` computes all bars, `free` gives the memory back. */
export interface Prepared {
  readonly run: () => void;
  /** One array per output: a value per bar, NaN before the first valid one. */
  readonly read: () => number[][];
  readonly free: () => void;
}

/**
 * Places the inputs in TA-Lib's memory. `name` is the C name without `TA_`, options come in the C order, all inputs
 * have the same length; throws when TA-Lib refuses the call or the memory is full.
 */
export function prepare(
  name: string,
  inputs: readonly ArrayLike<number>[],
  options: readonly number[],
  outputs = 1,
): Prepared {
  const n = inputs[0]!.length;
  const held: number[] = [];
  const allocate = (bytes: number) => {
    const address = exported.malloc!(bytes);
    if (address === 0) throw new Error(`TA-Lib: no memory for ${bytes} bytes`);
    held.push(address);
    return address;
  };
  const doubles = (address: number, length = n) => new Float64Array(memory.buffer, address, length);
  const ins = inputs.map((input) => {
    const address = allocate(8 * n);
    doubles(address).set(input);
    return address;
  });
  const outs = Array.from({ length: outputs }, () => allocate(8 * n));
  const [begin, count] = [allocate(8), allocate(8)];
  const integer = (address: number) => new Int32Array(memory.buffer, address, 1)[0]!;
  return {
    run() {
      const code = exported[`TA_${name}`]!(0, n - 1, ...ins, ...options, begin, count, ...outs);
      if (code !== 0) throw new Error(`TA_${name}: return code ${code}`);
    },
    read: () =>
      outs.map((address) => {
        const values: number[] = new Array(n).fill(Number.NaN);
        doubles(address, integer(count)).forEach((value, i) => {
          values[integer(begin) + i] = value;
        });
        return values;
      }),
    free() {
      for (const address of held) exported.free!(address);
    },
  };
}

/** The outputs of a TA-Lib function over whole columns. */
export function talib(
  name: string,
  inputs: readonly ArrayLike<number>[],
  options: readonly number[] = [],
  outputs = 1,
): number[][] {
  const call = prepare(name, inputs, options, outputs);
  call.run();
  const values = call.read();
  call.free();
  return values;
}
