// Places of nodes, boxes and edges, in the world that the canvas shows a part of. Units are pixels at scale 1.
import type { LayoutJson } from "../../../api";
import { push } from "./lists";
import type { TreeEntry } from "./model";
import { Quadtree, type Rectangle } from "./quadtree";

export type DrawnNode = Rectangle & {
  /** Of its first task. */
  readonly id: string;
  /** Numbers of the tasks that it stands for. */
  readonly tasks: readonly number[];
  readonly column: number;
  readonly row: number;
  readonly description: string;
};
export type DrawnBox = Rectangle & {
  readonly id: string;
  readonly description: string;
  readonly depth: number;
};
export type DrawnEdge = {
  readonly from: Rectangle;
  readonly to: Rectangle;
  readonly fromId: string;
  readonly toId: string;
  readonly data: boolean;
  readonly long: boolean;
};

export type Drawing = {
  readonly nodes: readonly DrawnNode[];
  readonly boxes: readonly DrawnBox[];
  readonly edges: readonly DrawnEdge[];
  /** The node that shows a task, by the task's number. */
  readonly nodeOf: readonly (DrawnNode | undefined)[];
  /** The first pixel of each stage's column. */
  readonly columns: readonly { readonly stage: number; readonly x: number; readonly width: number }[];
  readonly bounds: Rectangle;
  readonly find: Quadtree<DrawnNode>;
};

export type Inputs = {
  readonly layout: LayoutJson;
  readonly ids: readonly string[];
  readonly number: ReadonlyMap<string, number>;
  readonly byId: ReadonlyMap<string, TreeEntry>;
};

const NODE = { width: 176, height: 46 };
const STEP = { x: 264, y: 72 };
const CELL = { width: 176, height: 40 };
const CELL_STEP = { x: 184, y: 46 };
const BOX_MARGINS = [11, 8, 5, 3]; // by depth: boxes lie in one another, and may begin in the same cell

type Place = { id: string; tasks: number[]; column: number; row: number };

/** The timetable: a column for each stage, a cell for each task; tasks without any edge stand below. */
export function grid(inputs: Inputs): Drawing {
  const places: Place[] = (inputs.layout.cells ?? []).map(({ taskId, column, row }) => ({
    id: taskId ?? "",
    tasks: numbers(inputs, [taskId ?? ""]),
    column: column ?? 0,
    row: row ?? 0,
  }));
  const below = places.reduce((most, { row }) => Math.max(most, row + 1), 0);
  const width = Math.max(
    1,
    ...places.map(({ column }) => column),
    Math.ceil(Math.sqrt((inputs.layout.isolatedTaskIds ?? []).length)),
  );
  for (const [n, id] of (inputs.layout.isolatedTaskIds ?? []).entries()) {
    places.push({
      id,
      tasks: numbers(inputs, [id]),
      column: 1 + (n % width),
      row: below + (below ? 1 : 0) + Math.floor(n / width),
    });
  }
  return drawing(inputs, places, { node: CELL, step: CELL_STEP }, [], []);
}

/** The graph, at the planner's places. A map of an earlier version has none: its graph is drawn on the grid. */
export function drawnGraph(inputs: Inputs, kind: "tasks" | "classes"): Drawing {
  const { layout } = inputs;
  const sizes = { node: NODE, step: STEP };
  if (!layout.drawnNodes?.length) return drawnOnGrid(inputs);
  const places = kind === "classes" ? classPlaces(inputs) : taskPlaces(inputs);
  const boxes = (layout.drawnBoxes ?? []).map((box) => ({
    id: box.groupId ?? "",
    first: { column: box.firstColumn ?? 0, row: (kind === "classes" ? box.firstRow : box.firstTaskRow) ?? 0 },
    last: { column: box.lastColumn ?? 0, row: (kind === "classes" ? box.lastRow : box.lastTaskRow) ?? 0 },
  }));
  const edges = (layout.drawnEdges ?? []).map((edge) => ({ ...edge, long: edge.long ?? false }));
  return drawing(inputs, places, sizes, boxes, kind === "classes" ? edges : spread(inputs, edges));
}

function drawnOnGrid(inputs: Inputs): Drawing {
  const flat = grid(inputs);
  const places = flat.nodes.map(({ id, tasks, column, row }) => ({ id, tasks: [...tasks], column, row }));
  const edges = (inputs.layout.edges ?? []).map((edge) => ({ ...edge, long: false }));
  return drawing(inputs, places, { node: NODE, step: STEP }, [], edges);
}

function classPlaces(inputs: Inputs): Place[] {
  const members = new Map<number, string[]>();
  for (const node of inputs.layout.nodes ?? [])
    if (node.atomic) push(members, node.drawnNode ?? 0, node.taskId ?? "");
  return (inputs.layout.drawnNodes ?? []).map((node, n) => ({
    id: node.taskId ?? "",
    tasks: numbers(inputs, members.get(n) ?? [node.taskId ?? ""]),
    column: node.column ?? 0,
    row: node.row ?? 0,
  }));
}

function taskPlaces(inputs: Inputs): Place[] {
  return (inputs.layout.nodes ?? [])
    .filter((node) => node.atomic)
    .map((node) => ({
      id: node.taskId ?? "",
      tasks: numbers(inputs, [node.taskId ?? ""]),
      column: node.stage || inputs.layout.drawnNodes?.[node.drawnNode ?? 0]?.column || 1,
      row: node.taskRow ?? 0,
    }));
}

type Edge = { fromId?: string; toId?: string; data?: boolean; long: boolean };
const MOST_EDGES = 20_000; // of classes that are spread out; beyond it an edge goes to the first task of a class alone

/** Returns the edges between tasks that the edges between classes stand for. */
function spread(inputs: Inputs, edges: readonly Edge[]): Edge[] {
  const members = new Map(
    classPlaces(inputs).map(({ id, tasks }) => [id, tasks.map((n) => inputs.ids[n]!)] as const),
  );
  const ends = (id: string) => members.get(id) ?? [id];
  const count = edges.reduce(
    (sum, { fromId, toId }) => sum + ends(fromId ?? "").length * ends(toId ?? "").length,
    0,
  );
  if (count > MOST_EDGES) return [...edges];
  return edges.flatMap((edge) =>
    ends(edge.fromId ?? "").flatMap((fromId) =>
      ends(edge.toId ?? "").map((toId) => ({ ...edge, fromId, toId })),
    ),
  );
}

function numbers(inputs: Inputs, ids: readonly string[]): number[] {
  return ids.map((id) => inputs.number.get(id)).filter((n) => n !== undefined);
}

type Sizes = { node: { width: number; height: number }; step: { x: number; y: number } };
type Corner = { column: number; row: number };
type Box = { id: string; first: Corner; last: Corner };

function drawing(
  inputs: Inputs,
  places: readonly Place[],
  sizes: Sizes,
  boxes: readonly Box[],
  edges: readonly Edge[],
): Drawing {
  const nodes = places.map((place) => nodeAt(inputs, place, sizes));
  const frames = boxes.map((box) => frameOf(inputs, box, sizes));
  const nodeOf: (DrawnNode | undefined)[] = new Array(inputs.ids.length).fill(undefined);
  for (const node of nodes) for (const n of node.tasks) nodeOf[n] = node;
  const ends = new Map<string, Rectangle>([...frames, ...nodes].map((end) => [end.id, end] as const));
  const bounds = around([...nodes, ...frames]);
  return {
    nodes,
    boxes: frames,
    edges: edges.flatMap((edge) => drawnEdge(edge, ends)),
    nodeOf,
    columns: columnsOf(nodes, sizes),
    bounds,
    find: new Quadtree(bounds, nodes),
  };
}

function nodeAt(inputs: Inputs, place: Place, { node, step }: Sizes): DrawnNode {
  const description = inputs.byId.get(place.id)?.description ?? "";
  return { ...place, x: (place.column - 1) * step.x, y: place.row * step.y, ...node, description };
}

function frameOf(inputs: Inputs, box: Box, { node, step }: Sizes): DrawnBox {
  const group = inputs.byId.get(box.id);
  const margin = BOX_MARGINS[Math.min(group?.depth ?? 0, BOX_MARGINS.length - 1)]!;
  const x = (box.first.column - 1) * step.x - margin * 2;
  const y = box.first.row * step.y - margin;
  return {
    id: box.id,
    description: group?.description ?? "",
    depth: group?.depth ?? 0,
    x,
    y,
    width: (box.last.column - 1) * step.x + node.width + margin * 2 - x,
    height: box.last.row * step.y + node.height + margin - y,
  };
}

function drawnEdge(edge: Edge, ends: ReadonlyMap<string, Rectangle>): DrawnEdge[] {
  const [from, to] = [ends.get(edge.fromId ?? ""), ends.get(edge.toId ?? "")];
  if (!from || !to) return [];
  return [
    { from, to, fromId: edge.fromId ?? "", toId: edge.toId ?? "", data: edge.data ?? false, long: edge.long },
  ];
}

function columnsOf(nodes: readonly DrawnNode[], { node, step }: Sizes): Drawing["columns"] {
  const stages = [...new Set(nodes.map(({ column }) => column))].sort((a, b) => a - b);
  return stages.map((stage) => ({ stage, x: (stage - 1) * step.x, width: node.width }));
}

function around(parts: readonly Rectangle[]): Rectangle {
  let [left, top, right, bottom] = [0, 0, NODE.width, NODE.height];
  for (const { x, y, width, height } of parts) {
    left = Math.min(left, x);
    top = Math.min(top, y);
    right = Math.max(right, x + width);
    bottom = Math.max(bottom, y + height);
  }
  return { x: left, y: top, width: right - left, height: bottom - top };
}
