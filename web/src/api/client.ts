// One request to the door: JSON in, JSON out, and a thrown Problem when the door says no.
import { Problem, problemOf, Unreachable } from "./problem";

/** Values behind the question mark; a list is the same name several times, undefined is left out. */
export type Query = Record<string, string | number | boolean | readonly string[] | undefined>;

export type Options = { query?: Query; signal?: AbortSignal; key?: string };

const API = "api/v1/";

/** Returns the address of an API path, whose parts are put in as they are, for `fetch`, links and pictures. */
export function addressOf(parts: readonly string[], query: Query = {}, base = document.baseURI): string {
  const url = new URL(API + parts.map(encodeURIComponent).join("/"), base);
  for (const [name, value] of Object.entries(query)) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one !== undefined && one !== "") url.searchParams.append(name, String(one));
    }
  }
  return url.href;
}

/** Makes the key of one press of a button: sent twice, the command is carried out once. */
export function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16)); // randomUUID is there with https alone
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export async function getJson<T>(parts: readonly string[], options: Options = {}): Promise<T> {
  return (await ask("GET", parts, undefined, options)).json() as Promise<T>;
}

/** Returns the text of a file, such as a stored plan. */
export async function getText(parts: readonly string[], options: Options = {}): Promise<string> {
  return (await ask("GET", parts, undefined, options)).text();
}

/** Returns the whole answer, for bodies that are read in pieces or by their type. */
export function getAnswer(parts: readonly string[], options: Options = {}): Promise<Response> {
  return ask("GET", parts, undefined, options);
}

/** Sends a command. A body that is a text or a file is sent as it is. */
export async function send<T>(
  method: "POST" | "PUT",
  parts: readonly string[],
  body: unknown,
  options: Options = {},
): Promise<T> {
  const isReady = typeof body === "string" || body instanceof Blob;
  return (
    await ask(method, parts, isReady ? body : JSON.stringify(body ?? {}), options)
  ).json() as Promise<T>;
}

async function ask(
  method: string,
  parts: readonly string[],
  body: string | Blob | undefined,
  options: Options,
): Promise<Response> {
  const headers: Record<string, string> = { Accept: "application/json" };
  if (body !== undefined) {
    headers["Content-Type"] = typeof body === "string" ? "application/json" : "application/octet-stream";
    headers["Idempotency-Key"] = options.key ?? newKey();
  }
  const request: RequestInit = { method, headers, credentials: "same-origin", cache: "no-store" };
  if (body !== undefined) request.body = body;
  if (options.signal) request.signal = options.signal;
  const answer = await reach(addressOf(parts, options.query), request);
  if (!answer.ok) throw await problemOf(answer);
  return answer;
}

async function reach(address: string, request: RequestInit): Promise<Response> {
  try {
    return await fetch(address, request);
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new Unreachable("expected an answer from the server of this page, but it cannot be reached");
  }
}

/** Returns what to tell a person about an error of any kind. */
export function sentenceOf(error: unknown): string {
  if (error instanceof Problem || error instanceof Error) return error.message;
  return String(error);
}

export function isAborted(error: unknown): boolean {
  return error instanceof DOMException && error.name === "AbortError";
}
