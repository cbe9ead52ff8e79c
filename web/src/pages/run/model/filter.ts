// Which tasks the filter leaves, and in which order: failed first, or as the plan has them.
import { AWAITS_PERSON, type ExecutionFold, STATUSES, type Status } from "../../../store";
import type { RunModel } from "./model";

export type Filter = {
  readonly text: string;
  readonly status: Status | 0;
  readonly awaiting: boolean;
  readonly failedFirst: boolean;
};

export const EVERYTHING: Filter = { text: "", status: 0, awaiting: false, failedFirst: false };

export function isActive({ text, status, awaiting }: Filter): boolean {
  return text.trim() !== "" || status !== 0 || awaiting;
}

/** Tells whether the filter leaves a task. Its text is looked for in id, description, worker and last failure. */
export function matcher(filter: Filter, model: RunModel, fold: ExecutionFold): (n: number) => boolean {
  const wanted = filter.text.trim().toLowerCase();
  return (n) => {
    if (filter.status !== 0 && fold.statusAt(n) !== filter.status) return false;
    if (filter.awaiting && !fold.has(n, AWAITS_PERSON)) return false;
    if (wanted === "") return true;
    const id = fold.ids[n]!;
    const texts = [id, model.byId.get(id)?.description, fold.worker[n], fold.lastFailure[n]];
    return texts.some((text) => text?.toLowerCase().includes(wanted));
  };
}

const RANK = new Map(STATUSES.map((status, n) => [status, n]));

/** Returns the numbers of the tasks that the filter leaves, in its order. */
export function ordered(filter: Filter, model: RunModel, fold: ExecutionFold): number[] {
  const left = matcher(filter, model, fold);
  const numbers = fold.ids.map((_, n) => n).filter(left);
  if (!filter.failedFirst) return numbers;
  const rank = (n: number) => (fold.has(n, AWAITS_PERSON) ? 1.5 : RANK.get(fold.statusAt(n))!);
  return numbers.sort((a, b) => rank(a) - rank(b) || a - b);
}
