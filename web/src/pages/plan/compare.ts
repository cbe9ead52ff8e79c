// What another version of a plan changes: tasks that are new, gone, or other than they were.
import type { MapJson } from "../../api";
import type { MapTaskJson } from "../../gen/signoff/v1/plan_pb";

/** The parts of a task that may differ, in the order in which they are shown. */
export const PARTS = [
  "description",
  "input",
  "output",
  "validation",
  "executor",
  "budget",
  "onFailure",
] as const;
export type Part = (typeof PARTS)[number];

export type ChangedPart = { readonly part: Part; readonly before: unknown; readonly after: unknown };

export type ChangedTask = {
  readonly id: string;
  readonly parts: readonly ChangedPart[];
  /** Ids of tasks and groups that it waits for now, and of those that it no longer waits for. */
  readonly waitsMore: readonly string[];
  readonly waitsLess: readonly string[];
  readonly stage: readonly [before: number, after: number];
};

export type MapDifference = {
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly changed: readonly ChangedTask[];
  readonly same: number;
};

/** Compares the map that runs with another one. A task that only moved to another stage counts as changed. */
export function compareMaps(before: MapJson, after: MapJson): MapDifference {
  const old = tasksOf(before);
  const now = tasksOf(after);
  const added = [...now.keys()].filter((id) => !old.has(id));
  const removed = [...old.keys()].filter((id) => !now.has(id));
  const changed: ChangedTask[] = [];
  for (const [id, task] of now) {
    const was = old.get(id);
    const change = was && changeOf(id, was, task);
    if (change) changed.push(change);
  }
  return { added, removed, changed, same: now.size - added.length - changed.length };
}

type Known = { readonly task: MapTaskJson; readonly waits: ReadonlySet<string> };

function tasksOf({ tasks = [], groups = [] }: MapJson): Map<string, Known> {
  const ids = [...tasks.map(({ spec }) => spec?.taskId ?? ""), ...groups.map(({ taskId }) => taskId ?? "")];
  const nameAll = (numbers: readonly number[] = []) => numbers.map((n) => ids[n] ?? `#${n}`);
  return new Map(
    tasks.map((task) => [
      task.spec?.taskId ?? "",
      { task, waits: new Set([...nameAll(task.waitsFor), ...nameAll(task.dataDependencies)]) },
    ]),
  );
}

function changeOf(id: string, was: Known, is: Known): ChangedTask | undefined {
  const parts = PARTS.map((part) => ({
    part,
    before: was.task.spec?.[part],
    after: is.task.spec?.[part],
  })).filter(({ before, after }) => told(before) !== told(after));
  const waitsMore = [...is.waits].filter((one) => !was.waits.has(one));
  const waitsLess = [...was.waits].filter((one) => !is.waits.has(one));
  const stage = [was.task.stage ?? 0, is.task.stage ?? 0] as const;
  const isSame = parts.length + waitsMore.length + waitsLess.length === 0 && stage[0] === stage[1];
  return isSame ? undefined : { id, parts, waitsMore, waitsLess, stage };
}

/** Returns a part as a person reads it: a text as it is, all else as JSON. */
export function shownAs(value: unknown): string {
  if (value === undefined) return "";
  return typeof value === "string" ? value : JSON.stringify(value, null, 2);
}

/** Returns a value as text in which the order of an object's keys does not matter. */
function told(value: unknown): string {
  return JSON.stringify(value ?? null, (_, inner: unknown) =>
    inner && typeof inner === "object" && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
