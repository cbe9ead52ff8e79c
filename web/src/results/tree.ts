// A JSON value as rows of a tree. Only what is open is walked, and nothing by recursion: depth and size harm nothing.

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** A row: the value's path as a text, its key, and how deep it lies. `more`: how many of its entries are not shown. */
export type TreeRow = {
  readonly path: string;
  readonly depth: number;
  readonly key: string | number | undefined;
  readonly value: Json;
  readonly count: number | undefined;
  readonly isOpen: boolean;
  readonly more?: number;
};

export const BATCH = 500; // entries of one value shown at first, and with each press after that
const OPEN_AT_FIRST = 60; // rows

export function isBranch(value: Json): value is readonly Json[] | { readonly [key: string]: Json } {
  return typeof value === "object" && value !== null;
}

export function sizeOf(value: Json): number | undefined {
  if (!isBranch(value)) return undefined;
  return Array.isArray(value) ? value.length : Object.keys(value).length;
}

type Ahead = { path: string; depth: number; key: string | number | undefined; value: Json; more?: number };

/** Returns the rows of a value. `open` has the paths that are open, each with how many of its entries are shown. */
export function treeRows(value: Json, open: ReadonlyMap<string, number>): TreeRow[] {
  const rows: TreeRow[] = [];
  const ahead: Ahead[] = [{ path: "", depth: 0, key: undefined, value }];
  for (let next = ahead.pop(); next; next = ahead.pop()) {
    const shown = open.get(next.path);
    const isOpen = shown !== undefined && isBranch(next.value) && next.more === undefined;
    rows.push({ ...next, count: sizeOf(next.value), isOpen });
    if (isOpen) pushEntries(ahead, next, shown);
  }
  return rows;
}

function pushEntries(ahead: Ahead[], of: Ahead, shown: number): void {
  const entries = firstEntries(of.value, shown);
  const left = (sizeOf(of.value) ?? 0) - entries.length;
  const depth = of.depth + 1;
  if (left > 0) ahead.push({ path: of.path, depth, key: undefined, value: null, more: left });
  for (let n = entries.length - 1; n >= 0; n--) {
    const [key, value] = entries[n]!;
    ahead.push({ path: below(of.path, key), depth, key, value });
  }
}

/** Returns the path of an entry, as JSON Pointer has it. */
export function below(path: string, key: string | number): string {
  return `${path}/${String(key).replaceAll("~", "~0").replaceAll("/", "~1")}`;
}

function firstEntries(value: Json, most: number): [string | number, Json][] {
  if (!isBranch(value)) return [];
  if (Array.isArray(value)) return value.slice(0, most).map((one, n) => [n, one]);
  return Object.entries(value).slice(0, most);
}

/** Opens values from the top, level by level, for as long as few rows come of it. */
export function openAtFirst(value: Json): Map<string, number> {
  const open = new Map<string, number>();
  let rows = 1;
  const ahead: [string, Json][] = [["", value]];
  for (let next = ahead.shift(); next; next = ahead.shift()) {
    const [path, one] = next;
    const count = Math.min(sizeOf(one) ?? 0, BATCH);
    if (count === 0 || (path !== "" && rows + count > OPEN_AT_FIRST)) continue;
    open.set(path, BATCH);
    rows += count;
    for (const [key, child] of firstEntries(one, OPEN_AT_FIRST))
      if (isBranch(child)) ahead.push([below(path, key), child]);
  }
  return open;
}

/** Tells whether a number's digits may be others than those in the text, because it does not fit a double. */
export function isRounded(value: number): boolean {
  return Number.isInteger(value) && !Number.isSafeInteger(value);
}
