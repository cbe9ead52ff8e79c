// A text as rows of equal height, so that a list shows any text, also one with a line of a million characters.

/** A row of a text: its characters from `from` to `to`; `line` is the line's number from 1 in the first row of a line. */
export type TextRow = { readonly from: number; readonly to: number; readonly line: number | undefined };

const WIDE = /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]/;
const TAB = 8;

/** Breaks a text into rows of at most `columns` columns, between words where they are short; wide characters take two. */
export function rowsOf(text: string, columns: number): TextRow[] {
  const rows: TextRow[] = [];
  let line = 1;
  let from = 0;
  while (from <= text.length) {
    const end = text.indexOf("\n", from);
    const to = end < 0 ? text.length : end;
    breakLine(text, from, to, line, Math.max(8, columns), rows);
    line += 1;
    from = to + 1;
  }
  if (rows.length > 1 && text.endsWith("\n")) rows.pop(); // a last line feed ends a line, and begins none
  return rows;
}

function breakLine(
  text: string,
  from: number,
  to: number,
  line: number,
  columns: number,
  rows: TextRow[],
): void {
  let start = from;
  let width = 0;
  let word = from; // where the last word begins
  let number: number | undefined = line;
  for (let at = from; at < to; at++) {
    if (text[at - 1] === " ") word = at;
    width += widthOf(text, at, width);
    if (width <= columns) continue;
    const isWordLong = (at - word) * 3 > columns;
    const cut = isWordLong || word <= start ? (isLowSurrogate(text, at) ? at - 1 : at) : word;
    rows.push({ from: start, to: cut, line: number });
    number = undefined;
    start = cut;
    width = 0;
    for (let n = cut; n <= at; n++) width += widthOf(text, n, width);
  }
  rows.push({ from: start, to, line: number });
}

function widthOf(text: string, at: number, column: number): number {
  const character = text[at]!;
  if (character === "\t") return TAB - (column % TAB);
  if (character < "\u1100") return 1;
  return isLowSurrogate(text, at) || WIDE.test(character) ? 2 : 1;
}

function isLowSurrogate(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code >= 0xdc00 && code <= 0xdfff;
}

/** Returns the number of the row that has a place of the text. */
export function rowAt(rows: readonly TextRow[], place: number): number {
  let low = 0;
  let high = rows.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (rows[middle]!.from <= place) low = middle;
    else high = middle - 1;
  }
  return low;
}
