// The statuses of tasks and the states of executions, as small numbers and back. The numbers are those of the protos.
import type { EventJson, ExecutionStateJson, TaskStatusJson } from "../gen/signoff/v1/execution_pb";

export const UNDONE = 1;
export const DOING = 2;
export const VALIDATING = 3;
export const DONE = 4;
export const EXECUTION_FAILED = 5;
export const VALIDATION_FAILED = 6;
export type Status = 0 | 1 | 2 | 3 | 4 | 5 | 6;

export const STATUSES: readonly Status[] = [
  EXECUTION_FAILED,
  VALIDATION_FAILED,
  DOING,
  VALIDATING,
  UNDONE,
  DONE,
]; // failed first

const STATUS_NAMES: readonly TaskStatusJson[] = [
  "TASK_STATUS_UNSPECIFIED",
  "TASK_STATUS_UNDONE",
  "TASK_STATUS_DOING",
  "TASK_STATUS_VALIDATING",
  "TASK_STATUS_DONE",
  "TASK_STATUS_EXECUTION_FAILED",
  "TASK_STATUS_VALIDATION_FAILED",
];

export function statusOf(name: TaskStatusJson | undefined): Status {
  return Math.max(0, STATUS_NAMES.indexOf(name ?? "TASK_STATUS_UNDONE")) as Status;
}

export function statusName(status: Status): TaskStatusJson {
  return STATUS_NAMES[status]!;
}

export function isFailed(status: Status): boolean {
  return status === EXECUTION_FAILED || status === VALIDATION_FAILED;
}

export type State = ExecutionStateJson;

/** Tells whether nothing happens in an execution of this state until a person commands it. */
export function isAtRest(state: State): boolean {
  return isFinal(state) || state === "EXECUTION_STATE_STOPPED" || state === "EXECUTION_STATE_QUARANTINED";
}

/** Tells whether only the retry of a task moves an execution of this state. */
export function isFinal(state: State): boolean {
  return state === "EXECUTION_STATE_SUCCEEDED" || state === "EXECUTION_STATE_FAILED";
}

/** The kinds of events, by their field in the JSON of an event. */
export type EventKind = Exclude<keyof EventJson, "sequence" | "at" | "taskId">;

/** Returns the kind of an event; undefined for one that this page does not know. */
export function kindOf(event: EventJson): EventKind | undefined {
  for (const key in event)
    if (key !== "sequence" && key !== "at" && key !== "taskId") return key as EventKind;
  return undefined;
}
