// Two executions side by side: what each task came to in both, and what each model cost in both.
import type { ExecutionJson, TaskStateJson } from "../../gen/signoff/v1/execution_pb";
import { type Status, statusOf } from "../../store";
import { milliseconds } from "../../ui/format";

export type Side = { readonly status: Status; readonly attempts: number; readonly took: number | undefined };
export type TaskPair = {
  readonly id: string;
  readonly first: Side | undefined;
  readonly second: Side | undefined;
  /** Second less first; undefined where one of them has no such figure. */
  readonly attempts: number | undefined;
  readonly took: number | undefined;
};
export type Order = "time" | "attempts" | "status";

/** Returns the tasks of both, in the order of the first and then what only the second has. */
export function pairTasks(first: readonly TaskStateJson[], second: readonly TaskStateJson[]): TaskPair[] {
  const others = new Map(second.map((task) => [task.taskId ?? "", task]));
  const pairs = first.map((task) => {
    const other = others.get(task.taskId ?? "");
    others.delete(task.taskId ?? "");
    return pairOf(task.taskId ?? "", sideOf(task), other && sideOf(other));
  });
  return [...pairs, ...[...others].map(([id, task]) => pairOf(id, undefined, sideOf(task)))];
}

function sideOf(task: TaskStateJson): Side {
  return { status: statusOf(task.status), attempts: task.attempt ?? 0, took: milliseconds(task.took) };
}

function pairOf(id: string, first: Side | undefined, second: Side | undefined): TaskPair {
  return {
    id,
    first,
    second,
    attempts: minus(second?.attempts, first?.attempts),
    took: minus(second?.took, first?.took),
  };
}

function minus(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? undefined : a - b;
}

export function differs({ first, second, attempts, took }: TaskPair): boolean {
  return !first || !second || first.status !== second.status || Boolean(attempts) || Boolean(took);
}

/** Returns the pairs with the largest difference first. A task that one of them lacks comes before all others. */
export function ordered(pairs: readonly TaskPair[], by: Order): TaskPair[] {
  const weight = (pair: TaskPair) => {
    if (!pair.first || !pair.second) return Number.POSITIVE_INFINITY;
    if (by === "status") return pair.first.status === pair.second.status ? 0 : 1;
    return Math.abs((by === "time" ? pair.took : pair.attempts) ?? 0);
  };
  const weights = new Map(pairs.map((pair) => [pair, weight(pair)]));
  return [...pairs].sort((a, b) => compared(weights.get(b)!, weights.get(a)!));
}

function compared(a: number, b: number): number {
  return a === b ? 0 : a - b; // two infinities have no difference
}

export type ModelPair = {
  readonly model: string;
  readonly tokens: readonly [number, number];
  readonly nanos: readonly [number, number];
};

/** Returns what each model took in both, the largest difference of money, then of tokens, first. */
export function pairModels(first: ExecutionJson, second: ExecutionJson): ModelPair[] {
  const pairs = new Map<string, { tokens: [number, number]; nanos: [number, number] }>();
  for (const [side, { usage = [] }] of [first, second].entries()) {
    for (const one of usage) {
      const pair = pairs.get(one.model ?? "") ?? { tokens: [0, 0], nanos: [0, 0] };
      const tokens = [one.inputTokens, one.outputTokens, one.estimatedInputTokens, one.estimatedOutputTokens];
      pair.tokens[side as 0 | 1] += tokens.reduce((sum: number, n) => sum + Number(n ?? 0), 0);
      pair.nanos[side as 0 | 1] += Number(one.costNanos ?? 0) + Number(one.estimatedCostNanos ?? 0);
      pairs.set(one.model ?? "", pair);
    }
  }
  const far = ([a, b]: readonly [number, number]) => Math.abs(a - b);
  return [...pairs]
    .map(([model, pair]) => ({ model, ...pair }))
    .sort((a, b) => far(b.nanos) - far(a.nanos) || far(b.tokens) - far(a.tokens));
}
