// How long each task has waited, and what for: the waits of the time line as sums, for the table.
import type { LayoutJson } from "../../../api";
import type { EventJson } from "../../../gen/signoff/v1/execution_pb";
import { type Wait, Waits, type WaitsFor } from "../../../store";

export class Waited {
  private readonly sums = new Map<string, Map<WaitsFor, number>>();
  private readonly waits: Waits;
  private sequence = 0;

  constructor(layout?: LayoutJson) {
    this.waits = new Waits(layout, (task, wait) => this.add(task, wait));
  }

  take(event: EventJson): void {
    const sequence = Number(event.sequence ?? 0);
    if (sequence <= this.sequence) return;
    this.sequence = sequence;
    this.waits.take(event);
  }

  /** Returns the milliseconds that a task has waited for each thing; what it waits for now is not in them. */
  of(id: string): ReadonlyMap<WaitsFor, number> {
    return this.sums.get(id) ?? NONE;
  }

  /** Returns what a task waits for at this moment. */
  now(id: string, now: number): Wait | undefined {
    return this.waits.open(id, now).at(-1);
  }

  private add(task: string, { what, start, end }: Wait): void {
    const sums = this.sums.get(task) ?? new Map<WaitsFor, number>();
    this.sums.set(task, sums.set(what, (sums.get(what) ?? 0) + end - start));
  }
}

const NONE: ReadonlyMap<WaitsFor, number> = new Map();
