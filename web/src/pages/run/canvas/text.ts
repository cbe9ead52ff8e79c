// Text on the canvas: hostile characters made visible, cut to fit, and measured once.
import { visible } from "../../../ui";

const MOST_KEPT = 8000;
const kept = new Map<string, string>();

/** Returns the text as it fits into the width, with the context's font. */
export function fitted(context: CanvasRenderingContext2D, text: string, width: number): string {
  const key = `${context.font}|${Math.round(width)}|${text}`;
  const known = kept.get(key);
  if (known !== undefined) return known;
  if (kept.size > MOST_KEPT) kept.clear();
  const short = cut(context, visible(text.slice(0, 400)).replaceAll(/\s+/g, " "), width);
  kept.set(key, short);
  return short;
}

function cut(context: CanvasRenderingContext2D, text: string, width: number): string {
  if (context.measureText(text).width <= width) return text;
  let [low, high] = [0, text.length];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (context.measureText(`${text.slice(0, middle)}…`).width <= width) low = middle;
    else high = middle - 1;
  }
  return low ? `${text.slice(0, low)}…` : "";
}
