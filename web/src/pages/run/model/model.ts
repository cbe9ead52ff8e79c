// What the Run page shows of a map, made once from the planner's layout: the tree, the edges, and every task's place in
// the grid and in the drawn graph. It does not change while the execution runs.
import type { LayoutJson } from "../../../api";
import { type Drawing, drawnGraph, grid } from "./drawing";
import { push } from "./lists";

export type TreeEntry = {
  readonly id: string;
  readonly parent: string;
  readonly atomic: boolean;
  readonly description: string;
  readonly stage: number;
  readonly depth: number;
  /** Numbers of the atomic tasks below it; of a task, its own. */
  readonly tasks: readonly number[];
};

export type RunModel = {
  /** Groups and tasks, parents before what is in them. */
  readonly tree: readonly TreeEntry[];
  readonly byId: ReadonlyMap<string, TreeEntry>;
  /** Task ids by number, as in the fold. */
  readonly ids: readonly string[];
  readonly number: ReadonlyMap<string, number>;
  /** What each waits for, and what waits for it: tasks and groups, by id. */
  readonly waitsFor: ReadonlyMap<string, readonly string[]>;
  readonly neededBy: ReadonlyMap<string, readonly string[]>;
  /** The timetable. */
  readonly grid: Drawing;
  /** The graph with a node for each task; and with one for each class of equal tasks. */
  readonly graph: Drawing;
  readonly classes: Drawing;
  readonly stages: number;
  /** What the planner made it of; undefined when the map is not known, and the tasks alone are. */
  readonly layout: LayoutJson | undefined;
};

/** Makes the model of a layout. `ids` are the tasks in the order of the fold. */
export function modelOf(layout: LayoutJson, ids: readonly string[]): RunModel {
  const number = new Map(ids.map((id, n) => [id, n] as const));
  const tree = treeOf(layout, number);
  const byId = new Map(tree.map((entry) => [entry.id, entry] as const));
  const [waitsFor, neededBy] = neighbours(layout);
  const inputs = { layout, ids, number, byId };
  return {
    tree,
    byId,
    ids,
    number,
    waitsFor,
    neededBy,
    grid: grid(inputs),
    graph: drawnGraph(inputs, "tasks"),
    classes: drawnGraph(inputs, "classes"),
    stages: tree.reduce((most, entry) => Math.max(most, entry.stage), 0),
    layout: layout.header && layout,
  };
}

function treeOf(layout: LayoutJson, number: ReadonlyMap<string, number>): TreeEntry[] {
  const children = new Map<string, string[]>();
  const nodes = new Map((layout.nodes ?? []).map((node) => [node.taskId ?? "", node] as const));
  for (const node of nodes.values()) push(children, node.parentId ?? "", node.taskId ?? "");
  const tree: TreeEntry[] = [];
  const visit = (id: string, depth: number): readonly number[] => {
    const node = nodes.get(id)!;
    const at = tree.push({} as TreeEntry) - 1;
    const own = number.get(id);
    const below = (children.get(id) ?? []).flatMap((child) => visit(child, depth + 1));
    const tasks = own === undefined ? below : [own, ...below];
    tree[at] = {
      id,
      parent: node.parentId ?? "",
      atomic: node.atomic ?? false,
      description: node.description ?? "",
      stage: node.stage ?? 0,
      depth,
      tasks,
    };
    return tasks;
  };
  for (const top of children.get("") ?? []) visit(top, 0);
  return tree;
}

type Neighbours = ReadonlyMap<string, readonly string[]>;

function neighbours(layout: LayoutJson): [Neighbours, Neighbours] {
  const before = new Map<string, string[]>();
  const after = new Map<string, string[]>();
  for (const { fromId, toId } of layout.edges ?? []) {
    push(before, toId ?? "", fromId ?? "");
    push(after, fromId ?? "", toId ?? "");
  }
  return [before, after];
}
