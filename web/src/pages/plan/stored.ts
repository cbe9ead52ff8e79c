// A stored plan as it is read back: its text, unless it is too much for a text field.
import { getAnswer, Problem } from "../../api";

export const MOST_TEXT = 4 * 1024 * 1024; // bytes that a text field still works with

export type Stored =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "large" }
  | { readonly kind: "missing" };

export async function readStored(plan: string, signal: AbortSignal): Promise<Stored> {
  try {
    const answer = await getAnswer(["plans", plan], { signal });
    const text = await textOf(answer);
    return text === undefined ? { kind: "large" } : { kind: "text", text };
  } catch (error) {
    if (error instanceof Problem && error.isMissing) return { kind: "missing" };
    throw error;
  }
}

async function textOf(answer: Response): Promise<string | undefined> {
  const decoder = new TextDecoder();
  let text = "";
  let size = 0;
  const reader = answer.body!.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    size += value.length;
    if (size > MOST_TEXT) {
      await reader.cancel();
      return undefined;
    }
    text += decoder.decode(value, { stream: true });
  }
}
