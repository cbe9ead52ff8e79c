// An execution as a watcher sees it, folded from a snapshot and the events after it. No clock, no browser.
//
// Tasks are numbered from 0 in the order of the snapshot. What changes often lies in typed arrays by that number, so that
// a thousand events a second leave nothing to collect.
import type {
  EventJson,
  ExecutionJson,
  OutageJson,
  TaskStateJson,
  UsageTotalJson,
} from "../gen/signoff/v1/execution_pb";
import { CHANGES } from "./changes";
import {
  DONE,
  type EventKind,
  kindOf,
  type State,
  type Status,
  statusName,
  statusOf,
  UNDONE,
  VALIDATING,
} from "./status";
import { after } from "./transitions";
import { addUsage } from "./usage";

export const GIVEN_UP = 1; // failed for good: only a retry moves it
export const AWAITS_PERSON = 2; // the candidate has passed everything but a person's verdict
export const TROUBLED = 4; // the judge broke or was lost, and the candidate was not judged since

const STATE_AFTER: Readonly<Partial<Record<EventKind, State>>> = {
  executionCreated: "EXECUTION_STATE_READY",
  executionStarted: "EXECUTION_STATE_RUNNING",
  executionPaused: "EXECUTION_STATE_PAUSED",
  executionResumed: "EXECUTION_STATE_RUNNING",
  executionStopped: "EXECUTION_STATE_STOPPED",
  executionSucceeded: "EXECUTION_STATE_SUCCEEDED",
  executionFailed: "EXECUTION_STATE_FAILED",
};

/** How many files a result has, and their bytes together. */
export type FileTotals = { readonly count: number; readonly bytes: number };

export class ExecutionFold {
  execution: ExecutionJson = {};
  sequence = 0;
  ids: string[] = [];
  readonly number = new Map<string, number>();
  status = new Uint8Array(0);
  attempt = new Uint32Array(0);
  failures = new Uint32Array(0);
  losses = new Uint32Array(0);
  stage = new Uint32Array(0);
  flags = new Uint8Array(0);
  changedAt = new Float64Array(0); // Unix milliseconds of the last change of status
  firstAt = new Float64Array(0); // Unix milliseconds of the first assignment; 0 while it is unknown
  worker: string[] = [];
  lastFailure: string[] = [];
  /** What the results with several files are made of, by the task's number. */
  readonly files = new Map<number, FileTotals>();
  /** How many tasks are in each status, by its number. */
  readonly counts = new Uint32Array(7);
  readonly outages = new Map<string, OutageJson>();
  readonly usage = new Map<string, UsageTotalJson>();
  /** Numbers of the tasks that changed since it was emptied last. */
  readonly changed = new Set<number>();
  private told: TaskStateJson[] = []; // as the snapshot told them, for what no event changes

  get state(): State {
    return this.execution.state ?? "EXECUTION_STATE_UNSPECIFIED";
  }

  get total(): number {
    return this.ids.length - (this.execution.notAsked ?? 0);
  }

  /** Returns how many tasks wait for a person's verdict. */
  get awaiting(): number {
    return this.flags.reduce((sum, flags) => sum + (flags & AWAITS_PERSON ? 1 : 0), 0);
  }

  /** Begins with a snapshot; everything before is forgotten. */
  begin(snapshot: { execution: ExecutionJson; tasks: readonly TaskStateJson[] }): void {
    const { execution, tasks } = snapshot;
    this.execution = { ...execution };
    this.sequence = Number(execution.sequence ?? 0);
    this.told = [...tasks];
    this.ids = tasks.map((task) => task.taskId ?? "");
    this.number.clear();
    for (const [n, id] of this.ids.entries()) this.number.set(id, n);
    this.makeRoom(tasks.length);
    for (const [n, task] of tasks.entries()) this.put(task, n);
    this.beginTotals(execution);
    this.changed.clear();
  }

  /** Takes the next event in. One that the snapshot has seen already changes nothing. */
  take(event: EventJson): void {
    const sequence = Number(event.sequence ?? 0);
    if (sequence <= this.sequence) return;
    this.sequence = sequence;
    const kind = kindOf(event);
    if (kind === undefined) return;
    const n = event.taskId ? this.number.get(event.taskId) : undefined;
    if (n !== undefined) this.moveTask(n, kind, event);
    else this.moveExecution(kind, event);
    if (event.usageRecorded) addUsage(this.usage, event.usageRecorded);
    if (event.outageMet?.outage) this.outages.set(outageKey(event.outageMet.outage), event.outageMet.outage);
  }

  /** Returns the state of the moment in the form of a snapshot, from which another fold can begin. */
  snapshot(): { execution: ExecutionJson; tasks: TaskStateJson[] } {
    const execution: ExecutionJson = {
      ...this.execution,
      sequence: String(this.sequence),
      usage: [...this.usage.values()],
      outages: [...this.outages.values()],
      awaitingPerson: this.awaiting,
    };
    return { execution, tasks: this.ids.map((_, n) => this.task(n)) };
  }

  /** Returns a task of the moment, with what the snapshot told and no event has changed. */
  task(n: number): TaskStateJson {
    const task: TaskStateJson = {
      ...this.told[n],
      status: statusName(this.statusAt(n)),
      attempt: this.attempt[n]!,
      failures: this.failures[n]!,
      losses: this.losses[n]!,
      worker: this.worker[n]!,
      changedAt: new Date(this.changedAt[n]!).toISOString(),
      lastFailure: this.lastFailure[n]!,
    };
    const waiting = this.waitingFor(n);
    const files = this.files.get(n);
    if (files) task.artifact = { ...task.artifact, fileCount: files.count, filesBytes: String(files.bytes) };
    if (waiting) task.waiting = { ...(this.told[n]?.waiting ?? {}), waitingFor: waiting };
    else delete task.waiting;
    if (this.statusAt(n) !== DONE) delete task.artifact;
    return task;
  }

  statusAt(n: number): Status {
    return this.status[n] as Status;
  }

  has(n: number, flag: number): boolean {
    return (this.flags[n]! & flag) !== 0;
  }

  /** Keeps what the result of a task is made of; one without files is its content alone. */
  setFiles(n: number, made: { fileCount?: number; filesBytes?: string } | undefined): void {
    if (made?.fileCount) this.files.set(n, { count: made.fileCount, bytes: Number(made.filesBytes ?? 0) });
    else this.files.delete(n);
  }

  private waitingFor(n: number) {
    if (this.has(n, GIVEN_UP)) return "WAITING_FOR_RETRY_COMMAND" as const;
    if (this.has(n, AWAITS_PERSON)) return "WAITING_FOR_PERSON" as const;
    if (this.has(n, TROUBLED)) return "WAITING_FOR_JUDGE" as const;
    return undefined;
  }

  private makeRoom(size: number): void {
    this.status = new Uint8Array(size);
    this.attempt = new Uint32Array(size);
    this.failures = new Uint32Array(size);
    this.losses = new Uint32Array(size);
    this.stage = new Uint32Array(size);
    this.flags = new Uint8Array(size);
    this.changedAt = new Float64Array(size);
    this.firstAt = new Float64Array(size);
    this.worker = new Array<string>(size).fill("");
    this.lastFailure = new Array<string>(size).fill("");
    this.counts.fill(0);
    this.files.clear();
  }

  private put(task: TaskStateJson, n: number): void {
    const status = statusOf(task.status);
    this.status[n] = status;
    this.counts[status]! += 1;
    this.attempt[n] = task.attempt ?? 0;
    this.failures[n] = task.failures ?? 0;
    this.losses[n] = task.losses ?? 0;
    this.stage[n] = task.stage ?? 0;
    this.changedAt[n] = instant(task.changedAt);
    this.worker[n] = task.worker ?? "";
    this.lastFailure[n] = task.lastFailure ?? "";
    this.flags[n] = flagsOf(task);
    this.setFiles(n, task.artifact);
  }

  private beginTotals(execution: ExecutionJson): void {
    this.outages.clear();
    for (const outage of execution.outages ?? []) this.outages.set(outageKey(outage), outage);
    this.usage.clear();
    for (const one of execution.usage ?? []) this.usage.set(`${one.phase ?? ""} ${one.model ?? ""}`, one);
  }

  private moveTask(n: number, kind: EventKind, event: EventJson): void {
    const before = this.statusAt(n);
    const now = after(before, kind);
    CHANGES[kind]?.(this, n, event);
    if (now !== before) this.setStatus(n, before, now, instant(event.at));
    this.setFlags(n, kind, now);
    this.changed.add(n);
  }

  private setStatus(n: number, before: Status, now: Status, at: number): void {
    this.status[n] = now;
    this.counts[before]! -= 1;
    this.counts[now]! += 1;
    this.changedAt[n] = at;
  }

  private setFlags(n: number, kind: EventKind, now: Status): void {
    let flags = this.flags[n]!;
    if (now !== VALIDATING) flags &= ~(AWAITS_PERSON | TROUBLED);
    else if (kind === "personAsked") flags = (flags | AWAITS_PERSON) & ~TROUBLED;
    else if (kind === "judgeFailed" || kind === "leaseLost") flags |= TROUBLED;
    if (kind === "taskFailed") flags |= GIVEN_UP;
    else if (now === UNDONE || now === DONE) flags &= ~GIVEN_UP;
    this.flags[n] = flags;
  }

  private moveExecution(kind: EventKind, event: EventJson): void {
    const state = STATE_AFTER[kind];
    if (state) {
      const { reason } = (event[kind] ?? {}) as { reason?: string };
      this.execution = { ...this.execution, state, reason: reason ?? "" };
    }
    const at = event.at;
    if (kind === "executionStarted" && at)
      this.execution = { ...this.execution, startedAt: at, activeSince: at };
    if (kind === "executionResumed" && at) this.resumed(at);
    if ((kind === "executionSucceeded" || kind === "executionFailed") && at)
      this.execution = { ...this.execution, endedAt: at };
    if (event.outageEnded) this.outages.delete(outageKey(event.outageEnded));
  }

  private resumed(at: string): void {
    const { endedAt: _, ...running } = this.execution;
    this.execution = { ...running, activeSince: at };
  }
}

function flagsOf(task: TaskStateJson): number {
  switch (task.waiting?.waitingFor) {
    case "WAITING_FOR_RETRY_COMMAND":
      return GIVEN_UP;
    case "WAITING_FOR_PERSON":
      return AWAITS_PERSON;
    case "WAITING_FOR_JUDGE":
      return TROUBLED;
    default:
      return 0;
  }
}

function outageKey(outage: { model?: string; endpoint?: string }): string {
  return `${outage.model ?? ""}\n${outage.endpoint ?? ""}`;
}

/** Returns Unix milliseconds of a timestamp of the protos' JSON; 0 for none. */
export function instant(timestamp: string | undefined): number {
  const at = Date.parse(timestamp ?? "");
  return Number.isNaN(at) ? 0 : at;
}
