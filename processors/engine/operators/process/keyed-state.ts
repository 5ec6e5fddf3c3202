/** The state that a process function keeps for each key: how it is declared, and how it is kept. */
import type { ByteReader, ByteWriter } from "../../state/bytes.ts";
import { type DeepReadonly, parseFrozen, toJsonText } from "../frozen-json.ts";

/** Turns a state into bytes and back; user code, for what JSON cannot hold. */
export interface StateCodec<State> {
  /** Names the format. It is part of the state's schema: another one cannot read what this one wrote. */
  readonly kind: string;
  encode(state: State): Uint8Array;
  /** Is called for each `get`, so that no two share an object. */
  decode(bytes: Uint8Array): State;
}

/** @typeParam View what `get` returns and `set` takes */
export interface KeyedState<View> {
  /** The state disappears when the watermark is this far past the latest event time at which it was set. */
  readonly ttlMs: number | null;
  readonly form: StateForm<View>;
}

/** How a state is kept: encoded from the moment it is set, so that a crash cannot change it. */
export interface StateForm<View, Kept = unknown> {
  readonly kind: string;
  keep(state: View): Kept;
  show(kept: Kept): View;
  write(writer: ByteWriter, kept: Kept): void;
  read(reader: ByteReader): Kept;
}

/** What JSON gives back as it was. Anything else needs a codec. */
type Json<Value> = Value extends string | number | boolean | null | undefined
  ? Value
  : Value extends NotJson
    ? never
    : Value extends object
      ? { [Name in keyof Value]: Json<Value[Name]> }
      : never;

type NotJson =
  | bigint
  | symbol
  | ((...args: never[]) => unknown)
  | { toJSON(): unknown }
  | ReadonlyMap<unknown, unknown>
  | ReadonlySet<unknown>
  | ArrayBufferView;

export interface KeyedStateOptions {
  /** By event time, in milliseconds. Default: the state stays until it is cleared. */
  readonly ttlMs?: number;
}

/**
 * Declares the state of a process function. It is kept as JSON, or as what the codec makes of it.
 * @example keyedState<{ lastMs: number }>({ ttlMs: 30 * DAY_MS })
 */
export function keyedState<State>(
  ...options: [State] extends [Json<State>] ? [options?: KeyedStateOptions] : ["This state needs a codec"]
): KeyedState<DeepReadonly<State>>;
export function keyedState<State>(
  options: KeyedStateOptions & { readonly codec: StateCodec<State> },
): KeyedState<State>;
export function keyedState(options: KeyedStateOptions & { readonly codec?: StateCodec<unknown> } = {}) {
  const { ttlMs = null, codec } = options;
  return { ttlMs, form: codec === undefined ? JSON_FORM : codedForm(codec) };
}

/** The state of a process function that declares none: it can be neither set nor got. */
export const noState: KeyedState<never> = {
  ttlMs: null,
  form: {
    kind: "none",
    keep: () => {
      throw new TypeError("the process function declares no state: give it state: keyedState<…>()");
    },
    show: () => undefined as never,
    write: () => undefined,
    read: () => undefined,
  },
};

const JSON_FORM: StateForm<unknown, string> = {
  kind: "json",
  keep: (state) => toJsonText(state, "the state"),
  show: parseFrozen,
  write: (writer, text) => writer.text(text),
  read: (reader) => reader.text(),
};

/** What `encode` returns may be a view of a buffer that it uses again, and bytes that are read one of the snapshot. */
function codedForm(codec: StateCodec<unknown>): StateForm<unknown, Uint8Array> {
  return {
    kind: `codec:${codec.kind}`,
    keep: (state) => new Uint8Array(codec.encode(state)),
    show: (bytes) => codec.decode(new Uint8Array(bytes)),
    write: (writer, bytes) => writer.bytes(bytes),
    read: (reader) => new Uint8Array(reader.bytes()),
  };
}
