// What the drawer shows of a task, asked again after each event about it.
import { useEffect, useState } from "preact/hooks";
import { type AttemptJson, executions, type Resource, tasks, useResource, type WhyTask } from "../../api";
import type { CandidateInfoJson, ExecutionJson, TaskStateJson } from "../../gen/signoff/v1/execution_pb";
import type { TaskSpecJson } from "../../gen/signoff/v1/plan_pb";
import { DONE, type ExecutionStore } from "../../store";

const SETTLE = 300; // milliseconds: what happens at once is asked about once
const WHY_AGAIN = 5000; // what a task waits for may change without an event of its own

export type Detail = { task?: TaskStateJson; spec?: TaskSpecJson };

export type TaskData = {
  readonly execution: string;
  readonly id: string;
  readonly store: ExecutionStore;
  /** Its number in the fold; undefined before the fold knows it. */
  readonly n: number | undefined;
  readonly detail: Resource<Detail>;
  readonly attempts: Resource<readonly AttemptJson[]>;
  readonly why: Resource<WhyTask | undefined>;
  readonly run: Resource<ExecutionJson | undefined>;
  readonly reload: () => void;
};

export function useTask(store: ExecutionStore, id: string): TaskData {
  store.version.value;
  const [turn, setTurn] = useState(0);
  const [tick, setTick] = useState(0);
  const again = () => setTurn((one) => one + 1);
  useEffect(() => afterEvents(store, id, again), [store, id]);
  const n = store.fold.number.get(id);
  const isDone = n !== undefined && store.fold.statusAt(n) === DONE;
  useEffect(() => {
    const timer = setInterval(() => isDone || document.hidden || setTick((one) => one + 1), WHY_AGAIN);
    return () => clearInterval(timer);
  }, [isDone]);
  const execution = store.id;
  const inputs = [execution, id, turn, store.era.value];
  const detail = useResource((signal) => tasks.get(execution, id, { signal }), inputs);
  const attempts = useResource(
    async (signal) => (await tasks.attempts(execution, id, { signal })).attempts ?? [],
    inputs,
  );
  const why = useResource(
    async (signal) => (await executions.why(execution, id, { signal })).tasks?.[0],
    [...inputs, tick],
  );
  const run = useResource(async (signal) => (await executions.get(execution, { signal })).execution, inputs);
  return { execution, id, store, n, detail, attempts, why, run, reload: again };
}

/** Calls back soon after events about the task, or about the execution, came. */
function afterEvents(store: ExecutionStore, id: string, again: () => void): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const stop = store.onEvents((events) => {
    if (timer !== undefined || !events.some(({ taskId }) => !taskId || taskId === id)) return;
    timer = setTimeout(() => {
      timer = undefined;
      again();
    }, SETTLE);
  });
  return () => {
    stop();
    clearTimeout(timer);
  };
}

/** Returns the attempt to show when none is asked for: the last that made a candidate, else the last. */
export function attemptToShow(attempts: readonly AttemptJson[]): number {
  const made = attempts.findLast(({ candidate }) => candidate);
  return made?.attempt ?? attempts.at(-1)?.attempt ?? 0;
}

/** Returns what an attempt made: as the list tells it, else asked for, since the list describes the last ones alone. */
export function useCandidate(data: TaskData, attempt: number): Resource<CandidateInfoJson | undefined> {
  const listed = data.attempts.value.value?.find((one) => one.attempt === attempt);
  const isListed = listed?.candidate !== undefined;
  const isMade =
    listed?.events?.some(
      (event) =>
        event.candidateStored ?? event.candidateReused ?? event.artifactReused ?? event.orphanAdopted,
    ) ?? false;
  const key = isListed ? JSON.stringify(listed.candidate) : "";
  return useResource(
    async (signal) => {
      if (isListed) return listed.candidate;
      return isMade ? tasks.attempt(data.execution, data.id, attempt, { signal }) : undefined;
    },
    [data.execution, data.id, attempt, isMade, key],
  );
}
