import type { RunModel, TreeEntry } from "./model";

/** Returns every task that depends on a task, directly or not, without the task itself. */
export function downstream(model: RunModel, id: string): TreeEntry[] {
  const seen = new Set<string>();
  const ahead = [id];
  const enter = (next: string) => {
    if (seen.has(next)) return;
    seen.add(next);
    ahead.push(next);
  };
  while (ahead.length > 0) {
    const entry = model.byId.get(ahead.pop()!);
    if (!entry) continue;
    for (const next of model.neededBy.get(entry.id) ?? []) enter(next);
    if (entry.parent) {
      // What waits for a group waits for everything in it, and what a group waits for, all in it wait for.
      for (let up: string | undefined = entry.parent; up; up = model.byId.get(up)?.parent) {
        for (const next of model.neededBy.get(up) ?? []) enter(next);
      }
    }
    if (!entry.atomic && seen.has(entry.id)) for (const n of entry.tasks) enter(model.ids[n]!);
  }
  seen.delete(id);
  return [...seen].flatMap((one) => model.byId.get(one) ?? []).filter(({ atomic }) => atomic);
}
