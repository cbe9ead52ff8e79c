// Who ran what, when: the leases of executions, folded from their events into rows of the workers that held them.
import type { LayoutJson } from "../../api";
import type { EventJson } from "../../gen/signoff/v1/execution_pb";
import { instant, type Wait, Waits } from "../../store";

export type Ending =
  | "open"
  | "made"
  | "passed"
  | "rejected"
  | "failed"
  | "broke"
  | "lost"
  | "returned"
  | "asked"
  | "canary"
  | "away";

export type Work = {
  readonly execution: string;
  readonly task: string;
  readonly attempt: number;
  readonly phase: "execute" | "validate";
  readonly worker: string;
  /** Of the worker's rows, from 0, as `arranged` says. */
  row: number;
  readonly start: number;
  /** 0 while it is under way. */
  end: number;
  ending: Ending;
  /** What the task waited for before it, since the last work on it; undefined: no event tells since when it waited. */
  readonly waits: readonly Wait[] | undefined;
};

export type Lane = {
  readonly worker: string;
  readonly works: Work[];
  /** How many rows it has. */
  rows: number;
  /** It has work that is not in its place yet. */
  isNew: boolean;
};

export class Lanes {
  readonly byWorker = new Map<string, Lane>();
  /** Unix milliseconds of the first and the last that happened. */
  first = Number.POSITIVE_INFINITY;
  last = 0;
  private readonly leases = new Map<string, Work>();
  private readonly waits = new Map<string, Waits>();
  private readonly over = new Map<string, Wait[]>(); // since the last work, by execution and task
  private readonly sequences = new Map<string, number>();

  /** Returns the last event that was taken of an execution. */
  sequence(execution: string): number {
    return this.sequences.get(execution) ?? 0;
  }

  /** Begins an execution after this event: earlier ones are left out. `layout`: what needs what in it. */
  begin(execution: string, after: number, layout?: LayoutJson): void {
    this.sequences.set(execution, Math.max(after, this.sequence(execution)));
    this.waits.set(execution, this.newWaits(execution, after > 0 ? undefined : layout));
  }

  private newWaits(execution: string, layout?: LayoutJson): Waits {
    return new Waits(layout, (task, wait) => {
      const key = `${execution} ${task}`;
      this.over.set(key, [...(this.over.get(key) ?? []), wait]);
    });
  }

  /** Takes the next event of an execution. Returns false when events before it are missing. */
  take(execution: string, event: EventJson): boolean {
    const sequence = Number(event.sequence ?? 0);
    if (sequence <= this.sequence(execution)) return true;
    if (sequence !== this.sequence(execution) + 1) return false;
    this.sequences.set(execution, sequence);
    const at = instant(event.at);
    const task = event.taskId ?? "";
    const waits = this.waits.get(execution) ?? this.newWaits(execution);
    this.waits.set(execution, waits);
    const isKnown = waits.knows(task);
    waits.take(event);
    if (event.taskAssigned) this.begun(execution, task, event.taskAssigned, at, isKnown);
    else this.ended(event, at);
    return true;
  }

  get count(): number {
    return [...this.byWorker.values()].reduce((sum, { works }) => sum + works.length, 0);
  }

  private begun(
    execution: string,
    task: string,
    assigned: NonNullable<EventJson["taskAssigned"]>,
    at: number,
    isKnown: boolean,
  ): void {
    const worker = assigned.worker ?? "";
    const lane = this.byWorker.get(worker) ?? { worker, works: [], rows: 1, isNew: false };
    this.byWorker.set(worker, lane);
    const waits = this.over.get(`${execution} ${task}`) ?? [];
    const work: Work = {
      execution,
      task,
      attempt: assigned.attempt ?? 0,
      phase: assigned.phase === "PHASE_VALIDATE" ? "validate" : "execute",
      worker,
      row: 0,
      start: at,
      end: 0,
      ending: "open",
      waits: isKnown ? waits : undefined,
    };
    lane.works.push(work);
    lane.isNew = true;
    this.leases.set(assigned.leaseId ?? "", work);
    this.over.delete(`${execution} ${task}`);
    this.first = Math.min(this.first, waitedSince(work));
    this.last = Math.max(this.last, at);
  }

  private ended(event: EventJson, at: number): void {
    for (const [kind, ending] of ENDINGS) {
      const lease = event[kind]?.leaseId;
      const work = lease ? this.leases.get(lease) : undefined;
      if (!lease || !work) continue;
      this.leases.delete(lease);
      work.end = at;
      work.ending = ending;
      this.last = Math.max(this.last, at);
    }
  }
}

type LeaseEvent =
  | "candidateStored"
  | "verdictPassed"
  | "verdictFailed"
  | "attemptFailed"
  | "judgeFailed"
  | "leaseLost"
  | "leaseReturned"
  | "personAsked"
  | "canaryJudged"
  | "outageMet";

const ENDINGS: readonly (readonly [LeaseEvent, Ending])[] = [
  ["candidateStored", "made"],
  ["verdictPassed", "passed"],
  ["verdictFailed", "rejected"],
  ["attemptFailed", "failed"],
  ["judgeFailed", "broke"],
  ["leaseLost", "lost"],
  ["leaseReturned", "returned"],
  ["personAsked", "asked"],
  ["canaryJudged", "canary"],
  ["outageMet", "away"],
];

/** Returns how long it took, or has taken so far. A clock that runs behind the runner's makes it no less than nothing. */
export function lengthOf({ start, end }: Work, now: number): number {
  return Math.max(0, (end || now) - start);
}

/** Returns how long its task had waited for a worker that could have had it; undefined: no event tells. */
export function waitedFor({ waits }: Work): number | undefined {
  return waits
    ?.filter(({ what }) => what === "executor" || what === "validator")
    .reduce((sum, { start, end }) => sum + end - start, 0);
}

/** Returns since when its task had waited, whatever for; its own beginning when it had not. */
export function waitedSince({ waits, start }: Work): number {
  return Math.min(start, ...(waits ?? []).map((wait) => wait.start));
}

/** Returns how much of the rows' time from `first` to `last` was work, from 0 to 1. */
export function busyShare(lane: Lane, first: number, last: number): number {
  const whole = lane.rows * (last - first);
  if (whole <= 0) return 0;
  const worked = lane.works.reduce(
    (sum, { start, end }) => sum + Math.max(0, Math.min(end || last, last) - Math.max(start, first)),
    0,
  );
  return Math.min(1, worked / whole);
}

/**
 * Puts the work of a lane into rows, in the order of time: two that overlap are in two rows. The journals of several
 * executions come one after the other, so a row cannot be given when an event comes.
 */
export function arranged(lane: Lane): Lane {
  if (!lane.isNew) return lane;
  lane.works.sort((a, b) => a.start - b.start);
  const ends: number[] = [];
  for (const work of lane.works) {
    const gap = ends.findIndex((end) => end <= work.start);
    work.row = gap < 0 ? ends.length : gap;
    ends[work.row] = work.end || Number.POSITIVE_INFINITY;
  }
  lane.rows = Math.max(1, ends.length);
  lane.isNew = false;
  return lane;
}
