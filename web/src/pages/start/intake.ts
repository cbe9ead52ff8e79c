// A plan that comes from a person: an example, a file, or a text that was pasted.
import { format } from "../../ui";
import { planIdOf } from "../plan/names";
import { s } from "./strings";

export type Loaded = { readonly id: string; readonly text: string };

const MOST = 64 * 1024 * 1024; // bytes that a browser sends at once without trouble

/** Reads a file. Throws with a sentence when it is too large, or no text. */
export async function readFile(file: File): Promise<Loaded> {
  if (file.size > MOST) throw new Error(s.tooLarge(file.name, format.size(file.size), format.size(MOST)));
  const bytes = await file.arrayBuffer();
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return { id: planIdOf(file.name), text };
  } catch {
    throw new Error(s.notText(file.name));
  }
}

/** Tells whether a pasted text may be a plan. */
export function looksLikePlan(text: string): boolean {
  return /^\s*\{/.test(text);
}

/** Returns where a page without other content may be pasted to: not into fields, which take it themselves. */
export function isField(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement && target.closest("input, textarea, select, [contenteditable]") !== null
  );
}
