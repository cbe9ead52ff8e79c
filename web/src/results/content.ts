// The content of a result: its beginning is fetched first, and more of it when a person asks.
import { problemOf } from "../api/problem";
import { isText, type Kind, kindOf } from "./kind";

export const FIRST = 1024 * 1024; // bytes fetched at once of a large text
export const WHOLE = 8 * 1024 * 1024; // bytes up to which a table or a tree is fetched whole
const WHOLE_KINDS: readonly Kind[] = ["json", "lines", "separated", "drawing"];

export type Content = {
  readonly text: string;
  /** False: bytes that are no text, and are offered as a download alone. */
  readonly isText: boolean;
  readonly shown: number;
  readonly total: number;
};

/** Returns how many bytes to fetch first of a content. */
export function firstPart(mediaType: string | undefined, total: number): number {
  if (total <= FIRST) return FIRST;
  return WHOLE_KINDS.includes(kindOf(mediaType)) && total <= WHOLE ? WHOLE : FIRST;
}

export const NOTHING: Content = { text: "", isText: true, shown: 0, total: 0 };

/** Fetches the first `limit` bytes of a content. */
export async function fetchContent(url: string, limit: number, signal: AbortSignal): Promise<Content> {
  const request = { headers: { Range: `bytes=0-${limit - 1}` }, signal };
  const answer = await fetch(url, { ...request, credentials: "same-origin" });
  if (answer.status === 416) return NOTHING; // an empty content has no ranges
  if (!answer.ok) throw await problemOf(answer);
  const bytes = await read(answer, limit);
  const total = totalOf(answer.headers) ?? bytes.length;
  return { text: decode(bytes), isText: isText(bytes), shown: bytes.length, total };
}

/** Reads an answer up to a limit, also one from a proxy that knows no ranges and sends all. */
async function read(answer: Response, limit: number): Promise<Uint8Array> {
  const reader = answer.body?.getReader();
  if (!reader) return new Uint8Array(await answer.arrayBuffer()).subarray(0, limit);
  const pieces: Uint8Array[] = [];
  let size = 0;
  while (size < limit) {
    const { done, value } = await reader.read();
    if (done) break;
    pieces.push(value);
    size += value.length;
  }
  if (size >= limit) await reader.cancel();
  return joined(pieces, Math.min(size, limit));
}

function joined(pieces: readonly Uint8Array[], size: number): Uint8Array {
  const all = new Uint8Array(size);
  let at = 0;
  for (const piece of pieces) {
    const part = piece.subarray(0, size - at);
    all.set(part, at);
    at += part.length;
  }
  return all;
}

function totalOf(headers: Headers): number | undefined {
  const range = /\/(\d+)$/.exec(headers.get("Content-Range") ?? "");
  const told = range?.[1] ?? headers.get("Content-Length");
  return told === undefined || told === null ? undefined : Number(told);
}

/** Decodes UTF-8; a character that the limit has cut in two is left out. */
function decode(bytes: Uint8Array): string {
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes, { stream: true });
}
