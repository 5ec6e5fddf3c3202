/** A parsed Content-Type: type and parameters lower-cased, as both compare without case. */
export interface MediaType {
  /** `application/json`; empty where there was no header. */
  readonly essence: string;
  /** The charset parameter, unquoted; undefined where there is none. */
  readonly charset: string | undefined;
}

export function parseMediaType(header: string | undefined): MediaType {
  const [essence = "", ...parameters] = (header ?? "").toLowerCase().split(";");
  const charset = parameters.map((parameter) => parameter.trim()).find((text) => text.startsWith("charset="));
  return { essence: essence.trim(), charset: charset?.slice("charset=".length).replace(/^"(.*)"$/, "$1") };
}

/** JSON is UTF-8 (RFC 8259); another charset would be decoded to something else than its sender meant. */
export const isUtf8 = (mediaType: MediaType): boolean =>
  mediaType.charset === undefined || mediaType.charset === "utf-8" || mediaType.charset === "utf8";
