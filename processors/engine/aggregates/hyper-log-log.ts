import { type ByteReader, type ByteWriter, CorruptBytesError } from "../state/bytes.ts";
import type { Aggregate } from "./aggregate.ts";
import { requireWhole } from "./errors.ts";
import { murmur3 } from "./murmur3.ts";
import { Refusal, reasonOf } from "./refusal.ts";
import { refuseScalar, type Scalar } from "./scalar.ts";

const DEFAULT_PRECISION = 12;
const LEAST_PRECISION = 4;
const MOST_PRECISION = 18;

export interface DistinctApproxOptions {
  /**
   * Bits of the hash that choose a register: 2^precision registers, 4 to 18. Standard error 1.04 / √registers:
   * 10: 3.3 %, 12: 1.6 %, 14: 0.8 %, 16: 0.4 %. Default 12, as Druid's HLL sketches.
   */
  readonly precision?: number;
}

/**
 * About how many different values, by HyperLogLog (P. Flajolet et al., 2007) with the estimator of O. Ertl ("New
 * cardinality estimation algorithms for HyperLogLog sketches", 2017, section 2.3), which needs neither tables nor a
 * change of method for small sets. The standard error is 1.04 / √(2^precision): 1.6 % by default; two of three
 * results are closer than that, 19 of 20 closer than twice as much. Merging loses nothing.
 *
 * Values are text of any length, hashed as UTF-8, or numbers, hashed as float64 (-0 as 0), by the first 64 bits of
 * MurmurHash3_x86_128 with seed 0 for text and 1 for numbers. The hash is no secret: who chooses the values can
 * choose them so that they count as few or as many.
 *
 * State: 8 bytes a register that was touched until an eighth of them are; then one byte for each of the
 * 2^precision registers, 4 KiB by default. `precision` is part of its meaning: another is incompatible.
 * @throws AggregateOptionError
 */
export function distinctApprox<Event>(
  select: (event: Event) => Scalar,
  { precision = DEFAULT_PRECISION }: DistinctApproxOptions = {},
): Aggregate<Event, number, number | Refusal> {
  requireWhole("precision", precision, LEAST_PRECISION, MOST_PRECISION);
  return {
    kind: `distinctApprox(precision=${precision})`,
    slots: 1,
    select: (event) => {
      const value = select(event);
      const problem = refuseScalar(value);
      return problem === undefined ? markOf(value, precision) : new Refusal(problem);
    },
    refuse: reasonOf,
    create: (row, at) => {
      row[at] = undefined;
    },
    add: (row, at, mark) => {
      row[at] = raise(row[at] as Registers, mark as number, precision);
    },
    merge: (into, from, at) => {
      for (const mark of marksIn(from[at] as Registers)) {
        into[at] = raise(into[at] as Registers, mark, precision);
      }
    },
    result: (row, at) => Math.round(estimate(row[at] as Registers, precision)),
    write: (writer, row, at) => writeRegisters(writer, row[at] as Registers),
    read: (reader, row, at) => {
      row[at] = readRegisters(reader, precision);
    },
  };
}

/**
 * The registers: nothing; or the marks of those that are not 0, in order; or one byte each. Which of them follows
 * from the registers alone, so that equal registers are equal state.
 */
type Registers = undefined | number[] | Uint8Array;

/** A mark is a register's index and a rank in one number: index × 64 + rank. Ranks are at most 61. */
const RANKS = 64;

const hash = new Uint32Array(4);
let scratch = Buffer.alloc(256);

/** What a value does: it raises one register to a rank, the position of the first 1 in the rest of its hash. */
export function markOf(value: Scalar, precision: number): number {
  hashScalar(value);
  const index = hash[0]! >>> (32 - precision);
  const high = (hash[0]! << precision) >>> 0;
  const zeros =
    high !== 0 ? Math.clz32(high) : hash[1] === 0 ? 64 - precision : 32 - precision + Math.clz32(hash[1]!);
  return index * RANKS + zeros + 1;
}

function hashScalar(value: Scalar): void {
  if (typeof value === "number") {
    // Adding 0 makes 0 of -0.
    scratch.writeDoubleLE(value + 0, 0);
    murmur3(scratch, 8, 1, hash);
    return;
  }
  if (value.length * 3 > scratch.length) scratch = Buffer.alloc(value.length * 3);
  murmur3(scratch, scratch.write(value, 0), 0, hash);
}

function raise(registers: Registers, mark: number, precision: number): Registers {
  const rank = mark % RANKS;
  if (registers instanceof Uint8Array) {
    const index = (mark - rank) / RANKS;
    if (registers[index]! < rank) registers[index] = rank;
    return registers;
  }
  const marks = registers ?? [];
  const at = lowerBound(marks, mark - rank);
  if (at < marks.length && marks[at]! < mark - rank + RANKS) {
    if (marks[at]! < mark) marks[at] = mark;
    return marks;
  }
  marks.splice(at, 0, mark);
  return marks.length > sparseLimit(precision) ? toDense(marks, precision) : marks;
}

/** A mark takes 8 bytes and a register one. */
const sparseLimit = (precision: number) => 2 ** precision / 8;

function toDense(marks: readonly number[], precision: number): Uint8Array {
  const registers = new Uint8Array(2 ** precision);
  for (const mark of marks) registers[Math.floor(mark / RANKS)] = mark % RANKS;
  return registers;
}

function* marksIn(registers: Registers): Iterable<number> {
  if (registers instanceof Uint8Array) {
    for (let index = 0; index < registers.length; index++) {
      if (registers[index] !== 0) yield index * RANKS + registers[index]!;
    }
  } else if (registers !== undefined) yield* registers;
}

/** Index of the first mark that is not below `least`. */
function lowerBound(marks: readonly number[], least: number): number {
  let low = 0;
  let high = marks.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (marks[middle]! < least) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * Ertl 2017, algorithm 6: from how many registers have each rank, highest rank first. His correction for registers
 * that can rise no further is left out: one in 2^(64 - precision) values raises a register so far.
 */
function estimate(registers: Registers, precision: number): number {
  const size = 2 ** precision;
  const counts = new Array<number>(RANKS).fill(0);
  counts[0] = size;
  for (const mark of marksIn(registers)) {
    counts[0]! -= 1;
    counts[mark % RANKS]! += 1;
  }
  let sum = 0;
  for (let rank = RANKS - 1; rank > 0; rank--) sum = (sum + counts[rank]!) / 2;
  sum += size * sigma(counts[0]! / size);
  return (size * size) / (2 * Math.LN2 * sum);
}

/** x + Σ x^(2^k) 2^(k-1): what registers stand for that are still 0 (a share x of them). */
function sigma(share: number): number {
  if (share === 1) return Number.POSITIVE_INFINITY;
  let power = share;
  let sum = share;
  for (let weight = 1, before = -1; sum !== before; weight *= 2) {
    power *= power;
    before = sum;
    sum += power * weight;
  }
  return sum;
}

const SPARSE = 0;
const DENSE = 1;

function writeRegisters(writer: ByteWriter, registers: Registers): void {
  if (registers instanceof Uint8Array) {
    writer.varint(DENSE);
    writer.bytes(registers);
  } else {
    writer.varint(SPARSE);
    writer.varint(registers?.length ?? 0);
    for (const mark of registers ?? []) writer.varint(mark);
  }
}

function readRegisters(reader: ByteReader, precision: number): Registers {
  const form = reader.varint();
  if (form === SPARSE) {
    const marks = Array.from({ length: reader.varint() }, () => reader.varint());
    return marks.length === 0 ? undefined : marks;
  }
  // A copy: the reader's bytes are a view of the whole snapshot.
  const registers = new Uint8Array(reader.bytes());
  if (form === DENSE && registers.length === 2 ** precision) return registers;
  throw new CorruptBytesError(
    `${registers.length} registers in form ${form}, where there are ${2 ** precision} in form ${DENSE}`,
  );
}
