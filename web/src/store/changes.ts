// What each event changes in a task besides its status. Events that are not listed change nothing more.
import type { EventJson, PhaseJson } from "../gen/signoff/v1/execution_pb";
import type { ExecutionFold } from "./fold";
import type { EventKind } from "./status";

type Change = (fold: ExecutionFold, n: number, event: EventJson) => void;

const idle: Change = (fold, n) => {
  fold.worker[n] = "";
};

const stored: Change = (fold, n, event) => {
  fold.worker[n] = "";
  fold.setFiles(n, event.candidateStored);
};

const assigned: Change = (fold, n, event) => {
  fold.worker[n] = event.taskAssigned?.worker ?? "";
  fold.attempt[n] = event.taskAssigned?.attempt ?? 0;
  if (!fold.firstAt[n]) fold.firstAt[n] = Date.parse(event.at ?? "") || 0;
};

const passed: Change = (fold, n) => {
  fold.worker[n] = "";
  fold.lastFailure[n] = "";
};

const failed =
  (reason: (event: EventJson) => string | undefined): Change =>
  (fold, n, event) => {
    fold.worker[n] = "";
    fold.failures[n]! += 1;
    fold.lastFailure[n] = reason(event) ?? "";
  };

const noted =
  (reason: (event: EventJson) => string | undefined): Change =>
  (fold, n, event) => {
    fold.worker[n] = "";
    fold.lastFailure[n] = reason(event) ?? "";
  };

const lost: Change = (fold, n, event) => {
  fold.worker[n] = "";
  fold.losses[n]! += 1;
  fold.lastFailure[n] = event.leaseLost?.reason ?? "";
};

/** The attempt was never begun: it does not count as one. */
function takeBack(fold: ExecutionFold, n: number, phase: PhaseJson | undefined): void {
  fold.worker[n] = "";
  if (phase === "PHASE_EXECUTE" && fold.attempt[n]! > 0) fold.attempt[n]! -= 1;
}

const returned: Change = (fold, n, event) => takeBack(fold, n, event.leaseReturned?.phase);

const outage: Change = (fold, n, event) => {
  takeBack(fold, n, event.outageMet?.phase);
  fold.lastFailure[n] = event.outageMet?.outage?.message ?? "";
};

const anew: Change = (fold, n) => {
  fold.worker[n] = "";
  fold.failures[n] = 0;
  fold.losses[n] = 0;
  fold.firstAt[n] = 0;
};

const kept: Change = (fold, n, event) => {
  fold.worker[n] = "";
  fold.attempt[n] = event.artifactKept?.attempt ?? 0;
};

const reused: Change = (fold, n, event) => {
  fold.worker[n] = "";
  fold.lastFailure[n] = "";
  const candidate = (event.artifactReused ?? event.candidateReused)?.candidate;
  fold.attempt[n] = candidate?.attempt ?? 0;
  fold.setFiles(n, candidate);
};

const adopted: Change = (fold, n, event) => {
  fold.worker[n] = "";
  fold.attempt[n] = event.orphanAdopted?.candidate?.attempt ?? 0;
  fold.setFiles(n, event.orphanAdopted?.candidate);
};

export const CHANGES: Readonly<Partial<Record<EventKind, Change>>> = {
  taskAssigned: assigned,
  candidateStored: stored,
  verdictPassed: passed,
  verdictFailed: failed((event) => event.verdictFailed?.feedback),
  personAsked: idle,
  attemptFailed: failed((event) => event.attemptFailed?.message),
  judgeFailed: noted((event) => event.judgeFailed?.message),
  outageMet: outage,
  canaryJudged: idle,
  leaseLost: lost,
  leaseReturned: returned,
  retryScheduled: idle,
  taskRolledBack: anew,
  taskFailed: noted((event) => event.taskFailed?.reason),
  taskRetried: anew,
  artifactKept: kept,
  artifactReused: reused,
  candidateReused: reused,
  orphanAdopted: adopted,
};
