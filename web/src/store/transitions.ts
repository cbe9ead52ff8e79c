// What moves a task: the table of the runner's core (runner_svc/core/model/states.py). A test compares the two.
import {
  DOING,
  DONE,
  type EventKind,
  EXECUTION_FAILED,
  type Status,
  UNDONE,
  VALIDATING,
  VALIDATION_FAILED,
} from "./status";

type Moves = Readonly<Partial<Record<EventKind, Status>>>;

/** The events that may come in any status, and leave it as it is. */
const ALWAYS: readonly EventKind[] = ["orphanStored", "usageRecorded"];

const MOVES: Readonly<Record<number, Moves>> = {
  [UNDONE]: {
    taskAssigned: DOING,
    artifactKept: DONE,
    artifactReused: DONE,
    candidateReused: VALIDATING,
    orphanAdopted: VALIDATING,
    taskFailed: EXECUTION_FAILED,
    taskRetried: UNDONE,
  },
  [DOING]: {
    candidateStored: VALIDATING,
    attemptFailed: EXECUTION_FAILED,
    outageMet: UNDONE,
    leaseLost: UNDONE,
    leaseReturned: UNDONE,
    checkpointStored: DOING,
    promptKept: DOING,
  },
  [VALIDATING]: {
    taskAssigned: VALIDATING,
    verdictPassed: DONE,
    personAsked: VALIDATING,
    verdictFailed: VALIDATION_FAILED,
    judgeFailed: VALIDATING,
    outageMet: VALIDATING,
    canaryJudged: VALIDATING,
    promptKept: VALIDATING,
    leaseLost: VALIDATING,
    leaseReturned: VALIDATING,
    taskRolledBack: UNDONE,
    taskRetried: UNDONE,
  },
  [DONE]: { taskRolledBack: UNDONE, taskRetried: UNDONE },
  [EXECUTION_FAILED]: {
    retryScheduled: UNDONE,
    taskFailed: EXECUTION_FAILED,
    taskRolledBack: UNDONE,
    taskRetried: UNDONE,
  },
  [VALIDATION_FAILED]: {
    retryScheduled: UNDONE,
    taskFailed: VALIDATION_FAILED,
    taskRolledBack: UNDONE,
    taskRetried: UNDONE,
  },
};

/** The next status of a task by its status and the event. */
export const TRANSITIONS: Readonly<Record<number, Moves>> = Object.fromEntries(
  Object.entries(MOVES).map(([status, moves]) => [
    status,
    { ...moves, ...Object.fromEntries(ALWAYS.map((kind) => [kind, Number(status) as Status])) },
  ]),
);

/** Returns the status after an event. A pair that the table lacks leaves the status as it is. */
export function after(status: Status, kind: EventKind): Status {
  return TRANSITIONS[status]?.[kind] ?? status;
}
