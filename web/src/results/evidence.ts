// The passages of a candidate that a verdict quotes. Judges copy loosely: both sides are folded before they are compared.

/** A passage: `from` (inclusive) and `to` (exclusive) in the text; `marks` are the numbers of the results that quote it. */
export type Passage = { readonly from: number; readonly to: number; readonly marks: readonly number[] };
type Place = { readonly from: number; readonly to: number; readonly mark: number };
export type Quoted = { readonly mark: number; readonly quotes: readonly string[] };

const LEAST = 3; // characters of a quote, folded: shorter ones are everywhere
const MOST_QUOTES = 20; // of one reason
const MOST_PASSAGES = 20; // of one quote
const MOST_TEXT = 4 * 1024 * 1024; // characters of a candidate that are searched
const PAIRS: Readonly<Record<string, string>> = {
  '"': '"',
  "“": "”",
  "„": "“”",
  "«": "»",
  "「": "」",
  "『": "』",
  "`": "`",
  "‘": "’",
  "'": "'",
};

/** Returns what a reason quotes, as it stands between quotation marks; parts around an ellipsis are quotes of their own. */
export function quotesIn(reason: string): string[] {
  const quotes: string[] = [];
  for (let at = 0; at < reason.length && quotes.length < MOST_QUOTES; at++) {
    const end = endOfQuote(reason, at);
    if (end < 0) continue;
    for (const part of reason.slice(at + 1, end).split(/…|\.\.\./)) {
      if (folded(part).text.trim().length >= LEAST) quotes.push(part.trim());
    }
    at = end;
  }
  return [...new Set(quotes)];
}

/** Returns where the quote ends that begins at `at`; -1 when none begins there. */
function endOfQuote(text: string, at: number): number {
  const closers = PAIRS[text[at]!];
  if (closers === undefined) return -1;
  const isApostrophe = text[at] === "'" || text[at] === "‘";
  if (isApostrophe && isWord(text[at - 1])) return -1;
  const stop = Math.min(text.length, at + 2000);
  for (let end = at + 1; end < stop; end++) {
    if (!closers.includes(text[end]!)) continue;
    if (isApostrophe && isWord(text[end + 1])) continue; // the apostrophe of a word
    return end;
  }
  return -1;
}

function isWord(character: string | undefined): boolean {
  return character !== undefined && /[\p{L}\p{N}]/u.test(character);
}

type Folded = { readonly text: string; readonly places: readonly number[] };

const QUOTES = /["“”„«»「」『』‘’']/;
// Marks of Markdown, which a document shows as something else, and characters without a width.
const DROPPED = new Set(["*", "`", "#", ">", "|", "\u00ad", "\u200b"]);
const DASHES = new Set(["‐", "‑", "‒", "–", "—", "−"]);

/** Folds case, white space, quotation marks, dashes and the marks of Markdown. `places[i]` is where the i-th character came from. */
export function folded(text: string): Folded {
  const pieces: string[] = [];
  const places: number[] = [];
  let wasSpace = false;
  const put = (piece: string, place: number) => {
    for (let n = 0; n < piece.length; n++) places.push(place);
    pieces.push(piece);
  };
  for (let at = 0; at < text.length; at++) {
    const character = text[at]!;
    if (DROPPED.has(character) || isBullet(text, at)) continue;
    const isSpace = character.trim() === "";
    if (isSpace && !wasSpace) put(" ", at);
    else if (!isSpace) put(foldedOne(character), at);
    wasSpace = isSpace;
  }
  return { text: pieces.join(""), places };
}

/** A dash or a plus at the beginning of a line, before white space. */
function isBullet(text: string, at: number): boolean {
  if ((text[at] !== "-" && text[at] !== "+") || text[at + 1] !== " ") return false;
  let before = at - 1;
  while (before >= 0 && (text[before] === " " || text[before] === "\t") && at - before < 12) before--;
  return before < 0 || text[before] === "\n";
}

function foldedOne(character: string): string {
  if (QUOTES.test(character)) return "'";
  if (DASHES.has(character)) return "-";
  return character.toLowerCase();
}

/** Returns the passages of a text that are quoted, in their order, none across another. */
export function passagesIn(text: string, quoted: readonly Quoted[]): Passage[] {
  if (quoted.every(({ quotes }) => quotes.length === 0)) return [];
  const hay = folded(text.slice(0, MOST_TEXT));
  const found = quoted.flatMap(({ mark, quotes }) => quotes.flatMap((quote) => places(hay, quote, mark)));
  return parted(found);
}

function places(hay: Folded, quote: string, mark: number): Place[] {
  const needle = folded(quote).text.trim();
  const passages: Place[] = [];
  let at = needle.length < LEAST ? -1 : hay.text.indexOf(needle);
  while (at >= 0 && passages.length < MOST_PASSAGES) {
    const last = at + needle.length - 1;
    passages.push({ from: hay.places[at]!, to: hay.places[last]! + 1, mark });
    at = hay.text.indexOf(needle, last + 1);
  }
  return passages;
}

/** Parts places that lie across each other, so that each part knows all that quote it. */
function parted(places: readonly Place[]): Passage[] {
  const edges = [...new Set(places.flatMap(({ from, to }) => [from, to]))].sort((a, b) => a - b);
  const sorted = [...places].sort((a, b) => a.from - b.from);
  const passages: Passage[] = [];
  let over: Place[] = [];
  let next = 0;
  for (const [n, from] of edges.entries()) {
    over = over.filter(({ to }) => to > from);
    while (next < sorted.length && sorted[next]!.from <= from) over.push(sorted[next++]!);
    const marks = [...new Set(over.map(({ mark }) => mark))];
    if (marks.length > 0) passages.push({ from, to: edges[n + 1]!, marks });
  }
  return passages;
}
