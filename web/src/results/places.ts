// Evidence in what has no running text: the cells of a table, the values of a tree. Their texts are joined as a reader
// sees them, a quote is sought in the whole, and each passage is told by the places that it lies in.
import { type Passage, passagesIn, type Quoted } from "./evidence";
import { cellText, type Grid } from "./grid";
import { below, isBranch, type Json } from "./tree";

/** The passages within the text of each place, and in which place each one begins, in their order. */
export type Places<K> = {
  readonly at: ReadonlyMap<K, readonly Passage[]>;
  readonly order: readonly { readonly key: K; readonly marks: readonly number[] }[];
  readonly marks: ReadonlySet<number>;
};

const MOST_TEXT = 1024 * 1024; // characters that are searched: the source has marks in more

/** Texts one after the other, each with what stands between it and the next. */
class Joined {
  private readonly pieces: string[] = [];
  readonly starts: number[] = [];
  readonly ends: number[] = [];
  private length = 0;

  get isFull(): boolean {
    return this.length > MOST_TEXT;
  }

  add(text: string, between: string): void {
    this.starts.push(this.length);
    this.ends.push(this.length + text.length);
    this.pieces.push(text, between);
    this.length += text.length + between.length;
  }

  /** Returns what is quoted of them, with the number of the text and the passage within it. */
  find(quoted: readonly Quoted[]): { n: number; isFirst: boolean; passage: Passage }[] {
    return passagesIn(this.pieces.join(""), quoted.map(alsoBare)).flatMap(({ from, to, marks }) => {
      const parts: { n: number; isFirst: boolean; passage: Passage }[] = [];
      for (let n = this.firstAfter(from); n < this.starts.length && this.starts[n]! < to; n++) {
        const [start, end] = [this.starts[n]!, this.ends[n]!];
        const passage = { from: Math.max(from, start) - start, to: Math.min(to, end) - start, marks };
        if (passage.from < passage.to) parts.push({ n, isFirst: parts.length === 0, passage });
      }
      return parts;
    });
  }

  /** The number of the first text that ends after a place. */
  private firstAfter(place: number): number {
    let [low, high] = [0, this.ends.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.ends[middle]! > place) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}

/** A judge may quote a line as it stands in the source, with quotation marks that a table and a tree do not show. */
function alsoBare({ mark, quotes }: Quoted): Quoted {
  const bare = quotes.map((quote) => quote.replace(/"("?)/g, "$1"));
  return { mark, quotes: [...new Set([...quotes, ...bare])] };
}

function placed<K>(joined: Joined, quoted: readonly Quoted[], keyOf: (n: number) => K): Places<K> {
  const at = new Map<K, Passage[]>();
  const order: { key: K; marks: readonly number[] }[] = [];
  for (const { n, isFirst, passage } of joined.find(quoted)) {
    const key = keyOf(n);
    at.set(key, [...(at.get(key) ?? []), passage]);
    if (isFirst) order.push({ key, marks: passage.marks });
  }
  return { at, order, marks: new Set(order.flatMap(({ marks }) => marks)) };
}

/** Returns what is quoted of a table. The key of a cell: `cellKey`. */
export function placesInGrid(grid: Grid, quoted: readonly Quoted[]): Places<number> {
  const joined = new Joined();
  const width = grid.columns.length;
  const addRow = (cells: readonly string[]) => {
    for (let n = 0; n < width; n++)
      joined.add(cells[n] ?? "", n === width - 1 ? "\n" : (grid.separator ?? ", "));
  };
  addRow(grid.columns);
  for (const row of grid.rows) {
    if (joined.isFull) break;
    addRow(row.map(cellText));
  }
  return placed(joined, quoted, (n) => n);
}

/** The key of a cell. The names of the columns are row -1. */
export function cellKey(grid: Grid, row: number, column: number): number {
  return (row + 1) * grid.columns.length + column;
}

export function rowOfKey(grid: Grid, key: number): number {
  return Math.floor(key / grid.columns.length) - 1;
}

/** Returns what is quoted of a value, by the paths of the rows of its tree; the text of each is that of `rowText`. */
export function placesInTree(value: Json, quoted: readonly Quoted[]): Places<string> {
  const joined = new Joined();
  const paths: string[] = [];
  const ahead: { path: string; key: string | number | undefined; value: Json }[] = [
    { path: "", key: undefined, value },
  ];
  for (let next = ahead.pop(); next && !joined.isFull; next = ahead.pop()) {
    paths.push(next.path);
    joined.add(rowText(next.key, next.value), "\n");
    if (!isBranch(next.value)) continue;
    const entries: [string | number, Json][] = Array.isArray(next.value)
      ? next.value.map((one, n) => [n, one])
      : Object.entries(next.value);
    for (const [key, one] of entries.reverse()) ahead.push({ path: below(next.path, key), key, value: one });
  }
  return placed(joined, quoted, (n) => paths[n]!);
}

/** Returns a row of a tree as a text: its name, and its value when that is no branch. */
export function rowText(key: string | number | undefined, value: Json): string {
  return nameText(key) + (isBranch(value) ? "" : String(value));
}

export function nameText(key: string | number | undefined): string {
  return typeof key === "string" ? `${key}: ` : "";
}

/** Returns the part of passages that lies between two places, counted from the first of them. */
export function within(passages: readonly Passage[], from: number, to: number): Passage[] {
  return passages
    .filter((one) => one.from < to && one.to > from)
    .map((one) => ({ ...one, from: Math.max(one.from, from) - from, to: Math.min(one.to, to) - from }));
}

/** Returns the paths of all that a path lies in, from the top, with the entry of each that leads on. */
export function waysTo(value: Json, path: string): { path: string; entry: number }[] {
  const ways: { path: string; entry: number }[] = [];
  let [at, now] = ["", value];
  for (const step of path.split("/").slice(1)) {
    const key = step.replaceAll("~1", "/").replaceAll("~0", "~");
    if (!isBranch(now)) break;
    const entry: number = Array.isArray(now) ? Number(key) : Object.keys(now).indexOf(key);
    ways.push({ path: at, entry });
    at = below(at, key);
    now = Array.isArray(now) ? now[entry]! : (now as { readonly [key: string]: Json })[key]!;
  }
  return ways;
}
