// The live store of one execution: the fold, and one signal that rises at most once a frame.
import { signal } from "@preact/signals";
import type { EventJson } from "../gen/signoff/v1/execution_pb";
import type { ThinkingJson } from "../gen/signoff/v1/runner_pb";
import type { Snapshot } from "../stream/messages";
import { ExecutionFold } from "./fold";
import { nextFrame } from "./frame";

export const THINKING_TAIL = 4000; // characters kept of what a task's worker thinks; all of it is had from the door

export type Thought = { attempt: number; phase: string; text: string };

export class ExecutionStore {
  readonly fold = new ExecutionFold();
  /** Rises when anything changed, at most once a frame: read it, then read the fold. */
  readonly version = signal(0);
  /** Rises with each snapshot: task numbers and all else may be others. */
  readonly era = signal(0);
  readonly ready = signal(false);
  /** Why there is nothing to see: the sentence of the door. */
  readonly refused = signal<string | undefined>(undefined);
  readonly thinking = new Map<string, Thought>();
  /** Numbers of the tasks that changed before the last frame. */
  lastChanged: ReadonlySet<number> = new Set();
  private readonly listeners = new Set<(events: readonly EventJson[]) => void>();
  private scheduled = false;

  constructor(readonly id: string) {}

  /**
   * The fold, for components: one that reads it here is drawn again in each frame in which anything changed. Reading
   * `fold` itself does not do that, and a component whose props are the same is not drawn again with its parent.
   */
  get live(): ExecutionFold {
    this.version.value;
    return this.fold;
  }

  begin(snapshot: Snapshot): void {
    this.fold.begin(snapshot);
    this.refused.value = undefined;
    this.era.value += 1;
    this.ready.value = true;
    this.paintSoon();
  }

  take(events: readonly EventJson[]): void {
    for (const event of events) {
      this.fold.take(event);
      this.forgetThoughts(event.taskId ?? "");
    }
    for (const listener of this.listeners) listener(events);
    this.paintSoon();
  }

  think(thoughts: readonly ThinkingJson[]): void {
    for (const thought of thoughts) this.keep(thought);
    this.paintSoon();
  }

  refuse(sentence: string): void {
    this.refused.value = sentence;
  }

  /** Hands every event on as it comes, until what is returned is called. */
  onEvents(listener: (events: readonly EventJson[]) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** What was thought is of no use once no worker holds the task. */
  private forgetThoughts(id: string): void {
    const n = this.fold.number.get(id);
    if (n !== undefined && !this.fold.worker[n]) this.thinking.delete(id);
  }

  private keep(thought: ThinkingJson): void {
    const id = thought.taskId ?? "";
    const before = this.thinking.get(id);
    const goesOn = before && before.attempt === (thought.attempt ?? 0) && before.phase === thought.phase;
    const gap = thought.gap && goesOn ? " … " : "";
    const text = ((goesOn ? before.text : "") + gap + (thought.text ?? "")).slice(-THINKING_TAIL);
    this.thinking.set(id, { attempt: thought.attempt ?? 0, phase: thought.phase ?? "", text });
  }

  private paintSoon(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    nextFrame(() => {
      this.scheduled = false;
      this.lastChanged = new Set(this.fold.changed);
      this.fold.changed.clear();
      this.version.value += 1;
    });
  }
}
