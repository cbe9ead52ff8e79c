// What a component asks the door for: its value, its error, and a way to ask again.
import { type Signal, signal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { isAborted } from "./client";

export type Resource<T> = {
  readonly value: Signal<T | undefined>;
  readonly error: Signal<unknown>;
  readonly busy: Signal<boolean>;
  readonly reload: () => void;
};

/**
 * Asks when the component appears and whenever `inputs` change; an answer to an earlier question is dropped. The last
 * value stays while the next is on its way.
 */
export function useResource<T>(
  ask: (signal: AbortSignal) => Promise<T>,
  inputs: readonly unknown[],
): Resource<T> {
  const state = useMemo(() => new Asking<T>(), []);
  state.ask = ask;
  useEffect(() => {
    state.run();
    return () => state.cancel();
  }, inputs);
  return state;
}

class Asking<T> implements Resource<T> {
  readonly value = signal<T | undefined>(undefined);
  readonly error = signal<unknown>(undefined);
  readonly busy = signal(false);
  ask: ((signal: AbortSignal) => Promise<T>) | undefined;
  private current: AbortController | undefined;

  readonly reload = () => void this.run();

  async run(): Promise<void> {
    this.cancel();
    const mine = new AbortController();
    this.current = mine;
    this.busy.value = true;
    try {
      const value = await this.ask?.(mine.signal);
      if (mine === this.current) this.take(value, undefined);
    } catch (error) {
      if (mine === this.current && !isAborted(error)) this.take(this.value.value, error);
    }
  }

  cancel(): void {
    this.current?.abort();
    this.current = undefined;
  }

  private take(value: T | undefined, error: unknown): void {
    this.value.value = value;
    this.error.value = error;
    this.busy.value = false;
  }
}
