// The compiler's word on a text while it changes: asked once the typing rests, and only the last answer counts.
import { type Signal, signal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { isAborted, type PlacedDiagnostic, plans } from "../../api";
import { Lines } from "./lines";

const REST = 250; // milliseconds without a change
const REST_OF_LARGE = 900;
const LARGE = 200_000; // characters

export class Checking {
  readonly found = signal<readonly PlacedDiagnostic[]>([]);
  readonly busy = signal(false);
  readonly error = signal<unknown>(undefined);
  /** The text that `found` is about, in lines. */
  readonly lines = signal(new Lines(""));
  /** Tells whether the door has answered for the text of the moment. */
  readonly isCurrent = signal(false);
  private timer: ReturnType<typeof setTimeout> | undefined;
  private asking: AbortController | undefined;

  constructor(private readonly check: typeof plans.check = plans.check) {}

  /** Checks a text once no other has come for a moment. */
  later(text: string, infer: boolean): void {
    this.cancel();
    this.busy.value = true;
    this.isCurrent.value = false;
    this.timer = setTimeout(() => void this.now(text, infer), text.length > LARGE ? REST_OF_LARGE : REST);
  }

  async now(text: string, infer: boolean): Promise<void> {
    this.cancel();
    const mine = new AbortController();
    this.asking = mine;
    this.busy.value = true;
    try {
      const query = infer ? {} : { noInfer: 1 };
      const answer = await this.check(text, { signal: mine.signal, query });
      if (mine === this.asking) this.take(text, answer.diagnostics ?? []);
    } catch (error) {
      if (mine === this.asking && !isAborted(error)) this.fail(error);
    }
  }

  /** Shows what is known of a text from elsewhere: the refusal of a broken plan has its diagnostics. */
  take(text: string, found: readonly PlacedDiagnostic[]): void {
    this.lines.value = new Lines(text);
    this.found.value = found;
    this.error.value = undefined;
    this.busy.value = false;
    this.isCurrent.value = true;
  }

  cancel(): void {
    clearTimeout(this.timer);
    this.asking?.abort();
    this.asking = undefined;
  }

  private fail(error: unknown): void {
    this.error.value = error;
    this.busy.value = false;
  }
}

/** Checks a text whenever it changes, while the component is there. */
export function useChecking(text: Signal<string>, infer: Signal<boolean>): Checking {
  const checking = useMemo(() => new Checking(), []);
  const now = text.value;
  const infers = infer.value;
  useEffect(() => {
    if (now !== "") checking.later(now, infers);
    else checking.take("", []);
    return () => checking.cancel();
  }, [now, infers]);
  return checking;
}
