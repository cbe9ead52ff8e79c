// A table out of a result: rows of separated values, or of objects in JSON, with one set of columns; and its order.
import { isBranch, type Json } from "./tree";

export type Cell = Json | undefined;
export type Grid = {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly Cell[])[];
  /** What stands between two cells in the source, of separated values. */
  readonly separator?: string;
};
export type Order = { readonly column: number; readonly isDown: boolean } | undefined;

const MOST_COLUMNS = 60;

/** Returns the table of separated values; the first row names the columns. */
export function gridOfFields(rows: readonly (readonly string[])[], separator = ","): Grid {
  const [head = [], ...rest] = rows;
  const width = rows.reduce((most, row) => Math.max(most, row.length), 0);
  const columns = Array.from({ length: width }, (_, n) => head[n] ?? "");
  return { columns, rows: rest, separator };
}

/** Returns the table of an array of objects, also of one that is the only array in an object; undefined for all else. */
export function gridOfJson(value: Json): Grid | undefined {
  const list = listIn(value);
  if (!list || list.length === 0 || !list.every(isRecord)) return undefined;
  const columns = columnsOf(list);
  if (columns.length === 0 || columns.length > MOST_COLUMNS) return undefined;
  const rows = list.map((one) =>
    columns.map((column) => (Object.hasOwn(one, column) ? one[column] : undefined)),
  );
  return { columns, rows };
}

type JsonRecord = { readonly [key: string]: Json };

function isRecord(value: Json): value is JsonRecord {
  return isBranch(value) && !Array.isArray(value);
}

function listIn(value: Json): readonly Json[] | undefined {
  if (Array.isArray(value)) return value;
  if (!isRecord(value)) return undefined;
  const lists = Object.values(value).filter((one): one is readonly Json[] => Array.isArray(one));
  return lists.length === 1 ? lists[0] : undefined;
}

function columnsOf(list: readonly JsonRecord[]): string[] {
  const columns = new Set<string>();
  for (const one of list) {
    for (const key of Object.keys(one)) columns.add(key);
    if (columns.size > MOST_COLUMNS) break;
  }
  return [...columns];
}

/** Returns a cell as a text. */
export function cellText(cell: Cell): string {
  if (cell === undefined || cell === null) return "";
  return typeof cell === "string" ? cell : JSON.stringify(cell);
}

/** Returns the numbers of the rows in the order; equal rows stay as they are, and empty cells come last. */
export function orderedRows(grid: Grid, order: Order): number[] {
  const numbers = grid.rows.map((_, n) => n);
  if (!order) return numbers;
  const texts = grid.rows.map((row) => cellText(row[order.column]));
  const values = texts.map(asNumber);
  const collator = new Intl.Collator(undefined, { numeric: true });
  const way = order.isDown ? -1 : 1;
  return numbers.sort((a, b) => {
    if (texts[a] === "" || texts[b] === "") return Number(texts[a] === "") - Number(texts[b] === "");
    const [x, y] = [values[a]!, values[b]!];
    const areNumbers = !Number.isNaN(x) && !Number.isNaN(y);
    return way * (areNumbers ? x - y : collator.compare(texts[a]!.slice(0, 200), texts[b]!.slice(0, 200)));
  });
}

function asNumber(text: string): number {
  return text.trim() === "" ? Number.NaN : Number(text.replace(/^(\d+),(\d+)$/, "$1.$2"));
}

/** Tells whether a column has numbers alone, which stand at the right. */
export function isNumeric(grid: Grid, column: number): boolean {
  const cells = grid.rows
    .slice(0, 200)
    .map((row) => cellText(row[column]))
    .filter(Boolean);
  return cells.length > 0 && cells.every((cell) => !Number.isNaN(asNumber(cell)));
}

/** Returns a width for each column, in characters, from its name and its first cells. */
export function widthsOf(grid: Grid): number[] {
  return grid.columns.map((name, n) => {
    const longest = grid.rows.slice(0, 100).reduce((most, row) => Math.max(most, cellText(row[n]).length), 0);
    return Math.max(6, Math.min(48, Math.max(longest, name.length + 2)));
  });
}
