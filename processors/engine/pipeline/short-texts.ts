/**
 * Texts that come again and again, as keys do: one that is still known costs a comparison, and whoever looks it up in a
 * Map finds its hash made and the very same object.
 */

const SLOTS = 65_536;
const MAX_KNOWN_BYTES = 64;

export class ShortTexts {
  readonly #slots: (string | undefined)[] = new Array(SLOTS);

  /** {@link asciiText}, the same object where it is still known. */
  of(bytes: Uint8Array, start: number, end: number): string {
    if (end - start > MAX_KNOWN_BYTES) return asciiText(bytes, start, end);
    let hash = 0;
    for (let at = start; at < end; at++) hash = Math.imul(hash, 31) + bytes[at]!;
    const slot = (hash ^ (hash >>> 16)) & (SLOTS - 1);
    const known = this.#slots[slot];
    if (known !== undefined && isText(known, bytes, start, end)) return known;
    const text = asciiText(bytes, start, end);
    this.#slots[slot] = text;
    return text;
  }
}

function isText(text: string, bytes: Uint8Array, start: number, end: number): boolean {
  if (text.length !== end - start) return false;
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) !== bytes[start + i]) return false;
  return true;
}

/** The ASCII text that lies there. */
const asciiText = (bytes: Uint8Array, start: number, end: number): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString("latin1");
