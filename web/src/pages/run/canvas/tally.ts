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
  const counts = [0, 0, 0, 0, 0, 0, 0];
  let awaiting = false;
  for (const n of tasks) {
    counts[fold.statusAt(n)]! += 1;
    awaiting ||= fold.has(n, AWAITS_PERSON);
  }
  const status = STATUSES.find((one) => one !== UNDONE && one !== DONE && counts[one]! > 0);
  return { counts, awaiting, status: status ?? (counts[DONE] === tasks.length ? DONE : UNDONE) };
}

export function tallyOf(node: DrawnNode, fold: ExecutionFold): Tally {
  return tally(node.tasks, fold);
}
