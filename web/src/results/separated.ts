// CSV and TSV as rows of fields, in one pass.

const SEPARATORS = [",", ";", "\t", "|"] as const;

/** Returns the separator that the first lines have most often, outside of quotes. */
export function separatorOf(text: string): string {
  const head = text.slice(0, 4096);
  const counts = SEPARATORS.map((one) => ({ one, count: rowsWith(head, one)[0]!.length }));
  return counts.reduce((best, next) => (next.count > best.count ? next : best)).one;
}

/** Returns the separator of a text, by its media type, else as it looks. */
export function separatorIn(text: string, mediaType: string): string {
  return mediaType.startsWith("text/tab-separated") ? "\t" : separatorOf(text);
}

/** Returns the rows of a text of separated values; quotes may hold separators, line feeds and doubled quotes. */
export function separated(text: string, mediaType = ""): string[][] {
  return rowsWith(text, separatorIn(text, mediaType)).filter((row) => row.length > 1 || row[0] !== "");
}

function rowsWith(text: string, separator: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  let at = text.startsWith("\ufeff") ? 1 : 0;
  for (;;) {
    const field = fieldAt(text, at, separator);
    row.push(field.value);
    at = field.end;
    const isRowEnd = text[at] !== separator;
    if (isRowEnd) {
      rows.push(row);
      row = [];
    }
    if (at >= text.length) return rows;
    at += text[at] === "\r" && text[at + 1] === "\n" ? 2 : 1;
    if (isRowEnd && at >= text.length) return rows;
  }
}

function fieldAt(text: string, from: number, separator: string): { value: string; end: number } {
  const quoted = text[from] === '"' ? quotedAt(text, from) : { value: "", end: from };
  let end = quoted.end; // what stands behind a closing quote, against the rules, is kept
  while (end < text.length && text[end] !== separator && text[end] !== "\n" && !isCrLf(text, end)) end++;
  return { value: quoted.value + text.slice(quoted.end, end), end };
}

function isCrLf(text: string, at: number): boolean {
  return text[at] === "\r" && text[at + 1] === "\n";
}

function quotedAt(text: string, from: number): { value: string; end: number } {
  const pieces: string[] = [];
  let start = from + 1;
  for (;;) {
    const quote = text.indexOf('"', start);
    if (quote < 0) return { value: pieces.join("") + text.slice(start), end: text.length };
    pieces.push(text.slice(start, quote));
    if (text[quote + 1] !== '"') return { value: pieces.join(""), end: quote + 1 };
    pieces.push('"');
    start = quote + 2;
  }
}
