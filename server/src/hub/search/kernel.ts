/** As many numbers as a sum of products still fits 32 bits with: 127 × 2047 × 8192 < 2³¹. */
export const MAX_DIMENSIONS = 8192;
/** The largest number of a query's vector in the kernel. */
export const QUERY_SCALE = 2047;

export interface Kernel {
  /**
   * Of rows of a page, those whose likeness to the query is at least `least`: how many they are. Likeness is the product of the vector
   * (bytes) and the query (16 bits a number), times `by`, times the row's scale. `rows` is a list of `count` rows, a multiple of 4, whose first
   * vector is at `page` and first scale at `scales`, that of row `first`; `numbers` is a multiple of 16. Rows are written at
   * `into`, likenesses (64-bit floats) at `likes`. All but `count`, `first`, `by` and `least` are addresses in the memory.
   */
  scan(
    rows: number,
    count: number,
    page: number,
    scales: number,
    first: number,
    query: number,
    numbers: number,
    by: number,
    least: number,
    into: number,
    likes: number,
  ): number;
  /** Adds a vector (bytes), so many times, to a sum (32-bit floats). */
  add(vector: number, numbers: number, times: number, into: number): void;
}

/** A memory of WebAssembly; its buffer is another after each growth. */
export interface Memory {
  readonly buffer: ArrayBuffer;
  /** By so many pages; how many there were. */
  grow(pages: number): number;
}

/** The part of the standard that is used here: the types of Node.js leave it to those of browsers. */
interface Standard {
  readonly Memory: new (size: { readonly initial: number; readonly maximum: number }) => Memory;
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: Record<string, unknown> };
}

const { WebAssembly: standard } = globalThis as unknown as { readonly WebAssembly: Standard };

const I32 = 0x7f;
const F32 = 0x7d;
const F64 = 0x7c;
const V128 = 0x7b;

const get = (local: number) => [0x20, local];
const set = (local: number) => [0x21, local];
const tee = (local: number) => [0x22, local];
const constant = (value: number) => [0x41, value];
const add = [0x6a];
const subtract = [0x6b];
const multiplyWhole = [0x6c];
const shiftLeft = [0x74];
const isLess = [0x49];
const load = [0x28, 2, 0];
const store = [0x36, 2, 0];
const loadFloat = [0x2a, 2, 0];
const wholeAsDouble = [0xb7];
const floatAsDouble = [0xbb];
const multiplyDoubles = [0xa2];
const isAtLeast = [0x66];
const storeDouble = [0x39, 3, 0];
const when = [0x04, 0x40];
const loop = [0x03, 0x40];
const again = [0x0d, 0];
const end = [0x0b];
const loadVector = (offset: number) => [0xfd, 0x00, 0, offset];
const zeroVector = [0xfd, 0x0c, ...new Array<number>(16).fill(0)];
const lane = (number: number) => [0xfd, 0x1b, number];
/** Eight bytes of the memory, with their signs, as eight numbers of 16 bits. */
const loadWidened = (offset: number) => [0xfd, 0x01, 0, offset];
/** Eight bytes, with their signs, as eight numbers of 16 bits. */
const widenLow = [0xfd, 0x87, 0x01];
const widenHigh = [0xfd, 0x88, 0x01];
const addLanes = [0xfd, 0xae, 0x01];
/** Four numbers of 16 bits as four floats. */
const floatsLow = [0xfd, 0xa7, 0x01, 0xfd, 0xfa, 0x01];
const floatsHigh = [0xfd, 0xa8, 0x01, 0xfd, 0xfa, 0x01];
const inEachLane = [0xfd, 0x13];
const addFloats = [0xfd, 0xe4, 0x01];
const multiplyFloats = [0xfd, 0xe6, 0x01];
const storeVector = (offset: number) => [0xfd, 0x0b, 0, offset];
/** Products of 8 pairs, added two by two. */
const multiply = [0xfd, 0xba, 0x01];

/** Of `scan`. */
const [rows, count, page, scales, first, query, numbers] = [0, 1, 2, 3, 4, 5, 6] as const;
const [by, least, into, likes] = [7, 8, 9, 10] as const;
const [at, found, row, asked] = [11, 12, 13, 14] as const;
/** Four rows at a time, as then each part of the query is read once for all of them. */
const four = [0, 1, 2, 3] as const;
const addressOf = (one: number) => 15 + one;
const like = 19;
const [low, high] = [20, 21] as const;
const sumOf = (one: number) => 22 + one;

const bump = (local: number, amount: number) => [...get(local), ...constant(amount), ...add, ...set(local)];
const rowNumber = (one: number) => [...get(rows), ...load.slice(0, 2), one * 4, ...get(first), ...subtract];

const nextPart = (one: number) => [
  ...[...get(addressOf(one)), ...loadWidened(0), ...get(low), ...multiply],
  ...[...get(addressOf(one)), ...loadWidened(8), ...get(high), ...multiply],
  ...[...addLanes, ...get(sumOf(one)), ...addLanes, ...set(sumOf(one))],
  ...bump(addressOf(one), 16),
];

const judge = (one: number) => [
  ...[...get(sumOf(one)), ...lane(0), ...get(sumOf(one)), ...lane(1), ...add],
  ...[...get(sumOf(one)), ...lane(2), ...get(sumOf(one)), ...lane(3), ...add, ...add],
  ...[...wholeAsDouble, ...get(by), ...multiplyDoubles],
  ...[...rowNumber(one), ...tee(row), ...constant(2), ...shiftLeft, ...get(scales), ...add, ...loadFloat],
  ...[...floatAsDouble, ...multiplyDoubles, ...tee(like), ...get(least), ...isAtLeast],
  ...when,
  ...[...get(into), ...get(found), ...constant(2), ...shiftLeft, ...add],
  ...[...get(row), ...get(first), ...add, ...store],
  ...[...get(likes), ...get(found), ...constant(3), ...shiftLeft, ...add, ...get(like), ...storeDouble],
  ...bump(found, 1),
  ...end,
];

const scanBody = [
  ...loop,
  ...four.flatMap((one) => [
    ...[...rowNumber(one), ...get(numbers), ...multiplyWhole, ...get(page), ...add, ...set(addressOf(one))],
    ...[...zeroVector, ...set(sumOf(one))],
  ]),
  ...[...get(query), ...set(asked)],
  ...[...constant(0), ...set(at)],
  ...loop,
  ...[...get(asked), ...loadVector(0), ...set(low), ...get(asked), ...loadVector(16), ...set(high)],
  ...four.flatMap(nextPart),
  ...bump(asked, 32),
  ...[...get(at), ...constant(16), ...add, ...tee(at), ...get(numbers), ...isLess, ...again],
  ...end,
  ...four.flatMap(judge),
  ...bump(rows, 16),
  ...[...get(count), ...constant(4), ...subtract, ...tee(count), ...again],
  ...end,
  ...get(found),
];

/** Of `add`. */
const [vector, size, times, total, place, part] = [0, 1, 2, 3, 4, 5] as const;

/** Four of the sixteen numbers of a part. */
function addFour(widen: number[], floats: number[], offset: number): number[] {
  const place4 = [...get(total), ...get(place), ...constant(2), ...shiftLeft, ...add];
  const product = [...get(part), ...widen, ...floats, ...get(times), ...inEachLane, ...multiplyFloats];
  return [...place4, ...place4, ...loadVector(offset), ...product, ...addFloats, ...storeVector(offset)];
}

const addBody = [
  ...[...constant(0), ...set(place)],
  ...loop,
  ...[...get(vector), ...get(place), ...add, ...loadVector(0), ...set(part)],
  ...[...addFour(widenLow, floatsLow, 0), ...addFour(widenLow, floatsHigh, 16)],
  ...[...addFour(widenHigh, floatsLow, 32), ...addFour(widenHigh, floatsHigh, 48)],
  ...[...get(place), ...constant(16), ...add, ...tee(place), ...get(size), ...isLess, ...again],
  ...end,
];

/** Begins with its length, as everything in a module does. */
function sized(bytes: readonly number[]): number[] {
  return [...leb128(bytes.length), ...bytes];
}

function leb128(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...leb128(value >> 7)];
}

const name = (text: string) => sized([...Buffer.from(text)]);

/** WebAssembly with 128-bit lanes, written by hand, over a memory that is given. */
function moduleBytes(): Uint8Array {
  const scanTypes = [...new Array<number>(7).fill(I32), F64, F64, I32, I32];
  const scanCode = sized([3, 8, I32, 1, F64, 6, V128, ...scanBody, ...end]);
  const addCode = sized([2, 1, I32, 1, V128, ...addBody, ...end]);
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...[1, ...sized([2, 0x60, ...sized(scanTypes), 1, I32, 0x60, ...sized([I32, I32, F32, I32]), 0])],
    ...[2, ...sized([1, ...name('search'), ...name('memory'), 0x02, 0x00, 1])],
    ...[3, ...sized([2, 0, 1])],
    ...[7, ...sized([2, ...name('scan'), 0x00, 0, ...name('add'), 0x00, 1])],
    ...[10, ...sized([2, ...scanCode, ...addCode])],
  ]);
}

export function createMemory(mostPages: number): Memory {
  return new standard.Memory({ initial: 1, maximum: mostPages });
}

export function createKernel(memory: Memory): Kernel {
  const instance = new standard.Instance(new standard.Module(moduleBytes()), { search: { memory } });
  return instance.exports as unknown as Kernel;
}
