// The timetable of a map: tasks by stage, what is around each of them, and the tree that they are in.
import type { LayoutJson } from "../../api";

export type Cell = { readonly id: string; readonly column: number; readonly row: number };
export type Entry = {
  readonly id: string;
  readonly description: string;
  readonly stage: number;
  readonly atomic: boolean;
  readonly depth: number;
  readonly children: Entry[];
};

export type Timetable = {
  /** By column, from 0; each by its rows. */
  readonly columns: readonly (readonly Cell[])[];
  readonly rows: number;
  readonly cells: ReadonlyMap<string, Cell>;
  /** Tasks that wait for nothing and that nothing waits for. */
  readonly isolated: readonly string[];
  readonly entries: ReadonlyMap<string, Entry>;
  readonly top: readonly Entry[];
  /** What each waits for directly, and what waits for it: tasks and groups. */
  readonly before: ReadonlyMap<string, readonly string[]>;
  readonly after: ReadonlyMap<string, readonly string[]>;
  /** Pairs of tasks; empty when there are too many to be drawn. */
  readonly lines: readonly (readonly [from: string, to: string])[];
};

export const MOST_LINES = 600;

export function timetableOf(layout: LayoutJson): Timetable {
  const columns: Cell[][] = [];
  const cells = new Map<string, Cell>();
  let rows = 0;
  for (const { taskId = "", column = 1, row = 0 } of layout.cells ?? []) {
    const cell = { id: taskId, column: column - 1, row };
    while (columns.length < column) columns.push([]);
    columns[column - 1]!.push(cell);
    cells.set(taskId, cell);
    rows = Math.max(rows, row + 1);
  }
  for (const one of columns) one.sort((a, b) => a.row - b.row);
  const { entries, top } = treeOf(layout);
  const [before, after] = neighboursOf(layout);
  const lines = linesOf(layout, entries, cells);
  return { columns, rows, cells, isolated: layout.isolatedTaskIds ?? [], entries, top, before, after, lines };
}

function treeOf({ nodes = [] }: LayoutJson) {
  const entries = new Map<string, Entry>();
  const top: Entry[] = [];
  for (const { taskId = "", parentId = "", description = "", stage = 0, atomic = false } of nodes) {
    const parent = entries.get(parentId);
    const entry = {
      id: taskId,
      description,
      stage,
      atomic,
      depth: parent ? parent.depth + 1 : 0,
      children: [],
    };
    entries.set(taskId, entry);
    (parent?.children ?? top).push(entry);
  }
  return { entries, top };
}

function neighboursOf({ edges = [] }: LayoutJson) {
  const before = new Map<string, string[]>();
  const after = new Map<string, string[]>();
  const add = (to: Map<string, string[]>, key: string, value: string) => {
    const known = to.get(key);
    if (known) known.push(value);
    else to.set(key, [value]);
  };
  for (const { fromId = "", toId = "" } of edges) {
    add(before, toId, fromId);
    add(after, fromId, toId);
  }
  return [before, after] as const;
}

function linesOf(
  { edges = [] }: LayoutJson,
  entries: ReadonlyMap<string, Entry>,
  cells: ReadonlyMap<string, Cell>,
): (readonly [string, string])[] {
  const lines: (readonly [string, string])[] = [];
  for (const { fromId = "", toId = "" } of edges) {
    for (const from of tasksIn(entries, fromId))
      for (const to of tasksIn(entries, toId)) {
        if (cells.has(from) && cells.has(to)) lines.push([from, to]);
        if (lines.length > MOST_LINES) return [];
      }
  }
  return lines;
}

/** Returns the tasks below a group; a task is its own. */
export function tasksIn(entries: ReadonlyMap<string, Entry>, id: string, found: string[] = []): string[] {
  const entry = entries.get(id);
  if (!entry || entry.atomic) found.push(id);
  else for (const child of entry.children) tasksIn(entries, child.id, found);
  return found;
}

/** Returns all tasks that are reached from one along the edges, through groups; the task itself is not among them. */
export function reached(
  table: Timetable,
  id: string,
  edges: ReadonlyMap<string, readonly string[]>,
): ReadonlySet<string> {
  const direct = new Set<string>();
  for (const one of [id, ...groupsOf(table, id)])
    for (const other of edges.get(one) ?? [])
      for (const task of tasksIn(table.entries, other)) direct.add(task);
  direct.delete(id);
  return direct;
}

function groupsOf({ top }: Timetable, id: string): string[] {
  const path: string[] = [];
  const find = (entries: readonly Entry[]): boolean =>
    entries.some((entry) => {
      if (entry.id === id) return true;
      if (!find(entry.children)) return false;
      path.push(entry.id);
      return true;
    });
  find(top);
  return path;
}

/** Returns the entries in view when these groups are closed, parents before children. */
export function opened(top: readonly Entry[], closed: ReadonlySet<string>, found: Entry[] = []): Entry[] {
  for (const entry of top) {
    found.push(entry);
    if (!closed.has(entry.id)) opened(entry.children, closed, found);
  }
  return found;
}

export type Arrow = "ArrowUp" | "ArrowDown" | "ArrowLeft" | "ArrowRight";

/** Returns the cell that an arrow key leads to; undefined at the edge. */
export function nextCell(table: Timetable, from: Cell, arrow: Arrow): Cell | undefined {
  const column = table.columns[from.column]!;
  if (arrow === "ArrowUp") return column.filter((cell) => cell.row < from.row).at(-1);
  if (arrow === "ArrowDown") return column.find((cell) => cell.row > from.row);
  const step = arrow === "ArrowLeft" ? -1 : 1;
  for (let n = from.column + step; table.columns[n]; n += step) {
    const nearest = [...table.columns[n]!].sort(
      (a, b) => Math.abs(a.row - from.row) - Math.abs(b.row - from.row),
    )[0];
    if (nearest) return nearest;
  }
  return undefined;
}
