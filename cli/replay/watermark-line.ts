/** A line that is no event: `{"$watermark": 978307200000}`. */

const NAME = '"$watermark"';
const SPACE = new Set([0x20, 0x09]);
const BRACE = 0x7b;

/**
 * The time in a watermark line, milliseconds; undefined for any other line. It is an object with this one field,
 * whose value is a whole number; whatever else has such a field is an event like any other.
 */
export function watermarkOf(bytes: Buffer, start: number, end: number): number | undefined {
  let at = skipSpace(bytes, start, end);
  if (bytes[at] !== BRACE) return undefined;
  at = skipSpace(bytes, at + 1, end);
  // Almost every line ends here, at its second or third byte.
  for (let i = 0; i < NAME.length; i++) {
    if (bytes[at + i] !== NAME.charCodeAt(i)) return undefined;
  }
  return parse(bytes.toString("utf8", start, end));
}

function parse(line: string): number | undefined {
  let parsed: Readonly<Record<string, unknown>>;
  try {
    parsed = JSON.parse(line) as Record<string, unknown>;
  } catch {
    return undefined;
  }
  const { $watermark: watermarkMs } = parsed;
  return Object.keys(parsed).length === 1 && Number.isSafeInteger(watermarkMs)
    ? (watermarkMs as number)
    : undefined;
}

function skipSpace(bytes: Buffer, from: number, end: number): number {
  let at = from;
  while (at < end && SPACE.has(bytes[at]!)) at += 1;
  return at;
}
