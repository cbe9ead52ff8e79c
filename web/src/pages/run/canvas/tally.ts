// The status of a node that stands for several tasks.
import { AWAITS_PERSON, DONE, type ExecutionFold, STATUSES, type Status, UNDONE } from "../../../store";
import type { DrawnNode } from "../model/drawing";

export type Tally = {
  readonly counts: readonly number[];
  readonly status: Status;
  readonly awaiting: boolean;
};

/** Counts a node's tasks. The status of several is the one that a person should see first; done when all are. */
export function tally(tasks: readonly number[], fold: ExecutionFold): Tally {
  if (tasks.length === 1) return one(tasks[0]!, fold);
  const counts = [0, 0, 0, 0, 0, 0, 0];
  let awaiting = false;
  for (const n of tasks) {
    counts[fold.statusAt(n)]! += 1;
    awaiting ||= fold.has(n, AWAITS_PERSON);
  }
  const status = STATUSES.find((one) => one !== UNDONE && one !== DONE && counts[one]! > 0);
  return { counts, awaiting, status: status ?? (counts[DONE] === tasks.length ? DONE : UNDONE) };
}

/** The counts of one task, by its status. */
const ALONE: readonly (readonly number[])[] = [0, 1, 2, 3, 4, 5, 6].map((status) =>
  [0, 1, 2, 3, 4, 5, 6].map((other) => (other === status ? 1 : 0)),
);

function one(n: number, fold: ExecutionFold): Tally {
  return { counts: ALONE[fold.statusAt(n)]!, status: fold.statusAt(n), awaiting: fold.has(n, AWAITS_PERSON) };
}

export function tallyOf(node: DrawnNode, fold: ExecutionFold): Tally {
  return tally(node.tasks, fold);
}
