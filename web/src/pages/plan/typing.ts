// What Tab and Enter do in the editor, through the browser's own way of typing, so that its undo knows of it.

const STEP = "  ";

/** Indents the lines of the selection, or takes their indentation back; without a selection, types spaces. */
export function indented(area: HTMLTextAreaElement, back: boolean): void {
  const { value, selectionStart, selectionEnd } = area;
  const isWithinLine = !value.slice(selectionStart, selectionEnd).includes("\n");
  if (isWithinLine && !back) {
    type(area, STEP);
    return;
  }
  const start = value.lastIndexOf("\n", selectionStart - 1) + 1;
  const lines = value.slice(start, selectionEnd).split("\n");
  const moved = lines.map((line) => (back ? line.replace(/^ {1,2}|^\t/, "") : line && STEP + line));
  const after = moved.join("\n");
  area.setSelectionRange(start, selectionEnd);
  type(area, after);
  if (isWithinLine) {
    const by = lines[0]!.length - moved[0]!.length;
    area.setSelectionRange(Math.max(start, selectionStart - by), Math.max(start, selectionEnd - by));
  } else area.setSelectionRange(start, start + after.length);
}

/** Begins a new line, indented as the one before; one step further after an opening bracket. */
export function newLine(area: HTMLTextAreaElement): void {
  const { value, selectionStart } = area;
  const line = value.slice(value.lastIndexOf("\n", selectionStart - 1) + 1, selectionStart);
  const indentation = /^[ \t]*/.exec(line)![0];
  type(area, `\n${indentation}${/[[{]\s*$/.test(line) ? STEP : ""}`);
}

function type(area: HTMLTextAreaElement, text: string): void {
  // The one way of typing that the browser can undo. Where it is missing, undo begins anew with this change.
  const isDone =
    text === "" ? document.execCommand?.("delete") : document.execCommand?.("insertText", false, text);
  if (isDone) return;
  area.setRangeText(text, area.selectionStart, area.selectionEnd, "end");
  area.dispatchEvent(new Event("input", { bubbles: true }));
}
