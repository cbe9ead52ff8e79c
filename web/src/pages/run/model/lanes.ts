// The time line's rows: each task's attempts as spans of time, and its waits between them, folded from the whole journal
// and the events after it.
import type { LayoutJson } from "../../../api";
import type { EventJson } from "../../../gen/signoff/v1/execution_pb";
import { instant, type Wait, Waits } from "../../../store";
import { push } from "./lists";

export type Ending = "open" | "made" | "passed" | "rejected" | "failed" | "lost" | "unclear";
export type Span = {
  readonly phase: "execute" | "validate" | "person";
  readonly attempt: number;
  readonly worker: string;
  readonly start: number;
  end: number; // 0 while it is open
  ending: Ending;
};

export class Lanes {
  readonly spans = new Map<string, Span[]>();
  first = Number.POSITIVE_INFINITY;
  last = 0;
  sequence = 0;
  private readonly past = new Map<string, Wait[]>();
  private readonly waits: Waits;

  /** `layout`: what needs what. */
  constructor(layout?: LayoutJson) {
    this.waits = new Waits(layout, (task, wait) => push(this.past, task, wait));
  }

  /** Returns when a task could have been worked on and no worker had it, up to now. */
  waitsOf(id: string, now: number): readonly Wait[] {
    const open = this.waits.open(id, now);
    const past = this.past.get(id) ?? [];
    return open.length ? [...past, ...open] : past;
  }

  /** Takes an event in; one that has been taken in changes nothing. */
  take(event: EventJson): void {
    const sequence = Number(event.sequence ?? 0);
    if (sequence <= this.sequence) return;
    this.sequence = sequence;
    const at = instant(event.at);
    this.last = Math.max(this.last, at);
    if (event.executionStarted) this.first = Math.min(this.first, at);
    this.waits.take(event);
    if (event.taskId) this.takeTask(event.taskId, event, at);
  }

  private takeTask(id: string, event: EventJson, at: number): void {
    if (event.taskAssigned) {
      const { phase, attempt, worker } = event.taskAssigned;
      this.begin(id, {
        phase: phase === "PHASE_VALIDATE" ? "validate" : "execute",
        attempt: attempt ?? 0,
        worker: worker ?? "",
        start: at,
        end: 0,
        ending: "open",
      });
    } else if (event.candidateStored) this.finish(id, at, "made");
    else if (event.verdictPassed) this.finish(id, at, "passed");
    else if (event.verdictFailed) this.finish(id, at, "rejected");
    else if (event.attemptFailed || event.outageMet) this.finish(id, at, "failed");
    else if (event.leaseLost || event.leaseReturned) this.finish(id, at, "lost");
    else if (event.judgeFailed || event.canaryJudged) this.finish(id, at, "unclear");
    else if (event.taskRolledBack || event.taskRetried || event.taskFailed) this.finish(id, at, "lost");
    else if (event.personAsked) this.wait(id, at, event.personAsked.attempt ?? 0);
  }

  private wait(id: string, at: number, attempt: number): void {
    this.finish(id, at, "passed");
    this.begin(id, { phase: "person", attempt, worker: "", start: at, end: 0, ending: "open" });
  }

  private begin(id: string, span: Span): void {
    this.finish(id, span.start, "lost");
    this.first = Math.min(this.first, span.start);
    push(this.spans, id, span);
  }

  private finish(id: string, at: number, ending: Ending): void {
    const open = this.spans.get(id)?.at(-1);
    if (open?.end !== 0) return;
    open.end = at;
    open.ending = ending;
  }
}
