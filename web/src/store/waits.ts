// When tasks could have been worked on and no worker had them, and what for, folded from the events of one execution.
//
// A task waits from the moment at which it could be assigned: the execution runs and everything it needs is signed off,
// or its candidate is stored. What holds it back besides is told as far as events tell it: a retry time, a pause, a model
// that is away, a judge that broke too often. Why no worker took it sooner is in no event; the runner alone knows, and
// only of the present.
import type { LayoutJson } from "../api";
import type { EventJson } from "../gen/signoff/v1/execution_pb";
import { instant } from "./fold";

export const WAITS_FOR = ["executor", "validator", "retry", "model", "resume", "judge"] as const;
export type WaitsFor = (typeof WAITS_FOR)[number];

/** `end` is 0 while it goes on. `why`: what the event said that began it, as far as it said anything. */
export type Wait = {
  readonly what: WaitsFor;
  readonly start: number;
  readonly end: number;
  readonly why: string;
};

type Phase = "executor" | "validator";
type Need = {
  readonly phase: Phase;
  start: number;
  /** No worker may have it before this moment. */
  until: number;
  why: string;
  /** The model that is away, by name and endpoint. */
  away: string;
  /** What holds it while it holds; `ended`: the execution is over, and nothing waits. */
  held: "" | "model" | "resume" | "judge" | "ended";
};

const MOST_JUDGE_ERRORS = 5; // the runner's, for a journal whose beginning is not there
const MOST_LOSSES = 10;

export class Waits {
  private readonly needs = new Map<string, Need>();
  private readonly graph: Graph;
  private readonly why = new Map<string, string>(); // why the last attempt did not count
  private readonly judgeErrors = new Map<string, number>();
  private readonly losses = new Map<string, number>();
  private limits = { judgeErrors: MOST_JUDGE_ERRORS, losses: MOST_LOSSES };
  private stands: "" | "resume" | "ended" = "";
  private pauseReason = "";
  private hasStarted = false;

  /** `layout`: what needs what; without it, no first wait of a task is known. `ended` gets each wait when it is over. */
  constructor(
    layout: LayoutJson | undefined,
    private readonly ended: (task: string, wait: Wait) => void,
  ) {
    this.graph = new Graph(layout);
  }

  /** Returns the waits of a task that are not over, at this moment. The last one is what it waits for now. */
  open(task: string, now: number): Wait[] {
    const need = this.needs.get(task);
    if (!need) return [];
    const pieces = piecesOf(need, now).map((piece) => this.named(piece, need));
    return pieces.map((piece, n) => (n === pieces.length - 1 ? { ...piece, end: 0 } : piece));
  }

  /** Tells whether it is known since when a task waits, if it does. */
  knows(task: string): boolean {
    return this.needs.has(task);
  }

  take(event: EventJson): void {
    const at = instant(event.at);
    if (event.taskId) this.takeTask(event.taskId, event, at);
    else this.takeExecution(event, at);
  }

  private takeExecution(event: EventJson, at: number): void {
    const settings = event.executionCreated?.settings;
    if (settings)
      this.limits = {
        judgeErrors: settings.maxJudgeErrors ?? MOST_JUDGE_ERRORS,
        losses: settings.maxLosses ?? MOST_LOSSES,
      };
    if (event.executionStarted) this.begin(at);
    else if (event.executionResumed) this.stand("", "", at);
    else if (event.executionPaused) this.stand("resume", event.executionPaused.reason ?? "", at);
    else if (event.executionStopped) this.stand("resume", event.executionStopped.reason ?? "", at);
    else if (event.executionSucceeded || event.executionFailed) this.stand("ended", "", at);
    else if (event.outageEnded) this.back(modelOf(event.outageEnded), at);
  }

  private takeTask(id: string, event: EventJson, at: number): void {
    if (event.taskAssigned) this.leave(id, at);
    else if (event.candidateStored || event.candidateReused || event.orphanAdopted) {
      this.judgeErrors.delete(id);
      this.want(id, "validator", at);
    } else if (event.canaryJudged) this.want(id, "validator", at);
    else if (event.attemptFailed) this.why.set(id, event.attemptFailed.message ?? "");
    else if (event.verdictFailed) {
      this.why.set(id, event.verdictFailed.feedback ?? "");
      this.leave(id, at); // a person may have given it while nothing was assigned
    } else if (event.retryScheduled) {
      const until = instant(event.retryScheduled.retryAt);
      this.want(id, "executor", at, { until, why: this.why.get(id) ?? "" });
    } else if (event.judgeFailed) this.brokenJudge(id, event.judgeFailed, at);
    else if (event.leaseLost) this.lost(id, event.leaseLost, at);
    else if (event.leaseReturned)
      this.want(id, phaseOf(event.leaseReturned.phase), at, { why: event.leaseReturned.reason ?? "" });
    else if (event.outageMet) this.away(id, event.outageMet, at);
    else if (event.personAsked || event.taskFailed) this.leave(id, at);
    else if (event.verdictPassed || event.artifactKept || event.artifactReused) this.done(id, at);
    else if (event.taskRolledBack || event.taskRetried) this.anew(id, at);
  }

  /** Everything that needs nothing can be assigned from now on. */
  private begin(at: number): void {
    this.stand("", "", at);
    this.hasStarted = true;
    for (const id of this.graph.ready()) if (!this.needs.has(id)) this.want(id, "executor", at);
  }

  private brokenJudge(id: string, event: NonNullable<EventJson["judgeFailed"]>, at: number): void {
    this.judgeErrors.set(id, (this.judgeErrors.get(id) ?? 0) + 1);
    this.want(id, "validator", at, { until: instant(event.retryAt), why: event.message ?? "" });
  }

  private lost(id: string, event: NonNullable<EventJson["leaseLost"]>, at: number): void {
    this.losses.set(id, (this.losses.get(id) ?? 0) + 1);
    this.want(id, phaseOf(event.phase), at, { why: event.reason ?? "" });
  }

  private away(id: string, event: NonNullable<EventJson["outageMet"]>, at: number): void {
    const why = event.outage?.message ?? "";
    this.want(id, phaseOf(event.phase), at, { away: modelOf(event.outage ?? {}), why });
  }

  private done(id: string, at: number): void {
    this.forget(id, at);
    for (const task of this.graph.done(id)) this.want(task, "executor", at);
  }

  /** The task is undone again; so is all that was made of it, by events of its own. */
  private anew(id: string, at: number): void {
    this.forget(id, at);
    for (const task of this.graph.undone(id)) this.leave(task, at);
    if (this.graph.isReady(id)) this.want(id, "executor", at);
  }

  private forget(id: string, at: number): void {
    this.leave(id, at);
    this.judgeErrors.delete(id);
    this.losses.delete(id);
    this.why.delete(id);
  }

  private want(
    id: string,
    phase: Phase,
    at: number,
    more: Partial<Pick<Need, "until" | "why" | "away">> = {},
  ) {
    this.leave(id, at);
    if (phase === "executor" && !this.hasStarted && this.graph.isKnown) return;
    const need: Need = { phase, start: at, until: 0, why: "", away: "", held: "", ...more };
    need.held = this.holdOf(id, need);
    this.needs.set(id, need);
  }

  /** The task waits no longer: a worker or a person has it, or nothing more becomes of it. */
  private leave(id: string, at: number): void {
    const need = this.needs.get(id);
    if (!need) return;
    this.needs.delete(id);
    this.tell(id, need, at);
  }

  private tell(id: string, need: Need, at: number): void {
    for (const piece of piecesOf(need, at))
      if (piece.end > piece.start) this.ended(id, this.named(piece, need));
  }

  private named(piece: Wait, need: Need): Wait {
    return need.held === "resume" ? { ...piece, why: this.pauseReason } : piece;
  }

  private holdOf(id: string, need: Need): Need["held"] {
    const isJudged = need.phase === "validator";
    if (this.stands === "ended") return "ended";
    if (isJudged && this.isGivenUp(id)) return "judge";
    return this.stands || (need.away ? "model" : "");
  }

  private isGivenUp(id: string): boolean {
    const { judgeErrors, losses } = this.limits;
    return (this.judgeErrors.get(id) ?? 0) >= judgeErrors || (this.losses.get(id) ?? 0) >= losses;
  }

  /** The execution stands still from now on, or goes on: each task waits for something else. */
  private stand(stands: "" | "resume" | "ended", reason: string, at: number): void {
    for (const [id, need] of this.needs) this.tell(id, need, at); // with the reason of before
    this.stands = stands;
    this.pauseReason = reason;
    for (const [id, need] of this.needs) {
      if (!stands && need.held === "judge") this.offerAgain(id, need); // that is what a resume does
      need.start = at;
      need.held = this.holdOf(id, need);
    }
  }

  private offerAgain(id: string, need: Need): void {
    this.judgeErrors.delete(id);
    this.losses.delete(id);
    need.why = "";
  }

  private back(model: string, at: number): void {
    for (const [id, need] of this.needs) {
      if (need.away !== model) continue;
      this.tell(id, need, at);
      need.start = Math.max(need.start, at);
      need.away = need.why = "";
      need.held = this.holdOf(id, need);
    }
  }
}

/** Returns what a need has waited for up to a moment: before its retry time for that, then for a worker. */
function piecesOf(need: Need, at: number): Wait[] {
  const { start, until, why, held, phase } = need;
  const end = Math.max(start, at);
  if (held === "ended") return [];
  if (held) return [{ what: held, start, end, why }];
  if (until <= start) return [{ what: phase, start, end, why }];
  const retry: Wait = { what: "retry", start, end: Math.min(until, end), why };
  return until < end ? [retry, { what: phase, start: until, end, why: "" }] : [retry];
}

function phaseOf(phase: string | undefined): Phase {
  return phase === "PHASE_VALIDATE" ? "validator" : "executor";
}

function modelOf({ model = "", endpoint = "" }: { model?: string; endpoint?: string }): string {
  return `${model}\n${endpoint}`;
}

/** Which tasks have all that they need: counts of what is not signed off, by task and by group. */
class Graph {
  private readonly parents = new Map<string, string>();
  private readonly children = new Map<string, string[]>();
  private readonly neededBy = new Map<string, string[]>();
  private readonly left = new Map<string, number>(); // tasks at or below that are not signed off
  private readonly missing = new Map<string, number>(); // nodes that it waits for itself
  private readonly tasks: string[] = [];
  private readonly signedOff = new Set<string>();

  constructor(layout: LayoutJson | undefined) {
    for (const { taskId = "", parentId = "", atomic } of layout?.nodes ?? []) {
      this.parents.set(taskId, parentId);
      put(this.children, parentId, taskId);
      if (atomic) this.tasks.push(taskId);
    }
    for (const id of this.tasks) this.count(id, 1);
    for (const { fromId = "", toId = "" } of layout?.edges ?? []) {
      put(this.neededBy, fromId, toId);
      this.missing.set(toId, (this.missing.get(toId) ?? 0) + 1);
    }
  }

  get isKnown(): boolean {
    return this.tasks.length > 0;
  }

  ready(): string[] {
    return this.tasks.filter((id) => this.isReady(id));
  }

  isReady(id: string): boolean {
    if (!this.parents.has(id) || this.signedOff.has(id)) return false;
    return this.above(id).every((node) => !this.missing.get(node));
  }

  /** Notes a sign-off. Returns the tasks that have all they need by it. */
  done(id: string): string[] {
    if (!this.parents.has(id) || this.signedOff.has(id)) return [];
    this.signedOff.add(id);
    const whole = this.count(id, -1).filter((node) => this.left.get(node) === 0);
    return this.shift(whole, -1).filter((task) => this.isReady(task));
  }

  /** Notes that a task is to be done anew. Returns the tasks that lack something by it. */
  undone(id: string): string[] {
    if (!this.signedOff.delete(id)) return [];
    const broken = this.count(id, 1).filter((node) => this.left.get(node) === 1);
    return this.shift(broken, 1);
  }

  private shift(nodes: readonly string[], by: number): string[] {
    const next = nodes.flatMap((node) => this.neededBy.get(node) ?? []);
    for (const node of next) this.missing.set(node, (this.missing.get(node) ?? 0) + by);
    return [...new Set(next.flatMap((node) => this.below(node)))];
  }

  private count(id: string, by: number): string[] {
    const nodes = this.above(id);
    for (const node of nodes) this.left.set(node, (this.left.get(node) ?? 0) + by);
    return nodes;
  }

  /** The node and the groups that it is in. */
  private above(id: string): string[] {
    const nodes: string[] = [];
    for (let node: string | undefined = id; node; node = this.parents.get(node)) nodes.push(node);
    return nodes;
  }

  /** The tasks at or below a node. */
  private below(id: string): string[] {
    const children = this.children.get(id);
    return children ? children.flatMap((child) => this.below(child)) : [id];
  }
}

function put(map: Map<string, string[]>, key: string, value: string): void {
  const values = map.get(key);
  if (values) values.push(value);
  else map.set(key, [value]);
}
