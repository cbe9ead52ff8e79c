// The lanes of some executions, kept up to date: their journals so far, and what comes after from the shared stream.
import { type Signal, signal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { executions, isAborted } from "../../api";
import type { EventJson, ExecutionJson } from "../../gen/signoff/v1/execution_pb";
import { watchExecution } from "../../stream";
import { knownLayout } from "../run/layout";
import { isLive } from "../runs/figures";
import { Lanes } from "./lanes";

export const MOST_EVENTS = 50_000; // of an execution: what is older is left out
const PAGE = 5000;
const CALM = 400; // milliseconds between two drawings

export type Following = {
  readonly lanes: Lanes;
  /** Rises when there is something new to draw. */
  readonly version: Signal<number>;
  readonly error: Signal<unknown>;
  readonly isCut: Signal<boolean>;
  readonly isReady: Signal<boolean>;
};

export function useLanes(chosen: readonly ExecutionJson[]): Following {
  const key = chosen.map(({ executionId }) => executionId).join(" ");
  const following = useMemo(
    () => ({
      lanes: new Lanes(),
      version: signal(0),
      error: signal<unknown>(undefined),
      isCut: signal(false),
      isReady: signal(false),
    }),
    [key],
  );
  useEffect(() => {
    const leaves = chosen.map((execution) => follow(execution, following));
    return () => {
      for (const leave of leaves) leave();
    };
  }, [key]);
  return following;
}

function follow(execution: ExecutionJson, to: Following): () => void {
  const id = execution.executionId ?? "";
  const asking = new AbortController();
  let waiting: EventJson[] | undefined = []; // what comes from the stream while the journal is read
  const after = Math.max(0, Number(execution.sequence ?? 0) - MOST_EVENTS);
  if (after > 0) to.isCut.value = true;

  const takeAll = (events: readonly EventJson[]) => events.every((event) => to.lanes.take(id, event));
  const read = async () => {
    waiting ??= [];
    try {
      await prepared;
      for (let more = true; more; ) more = await page(id, to, asking.signal);
      const late = waiting;
      waiting = undefined;
      to.isReady.value = true;
      if (!takeAll(late)) void read(); // the stream had begun behind the journal's end
    } catch (error) {
      if (!isAborted(error)) to.error.value = error;
    }
  };
  const prepared = (after > 0 ? Promise.resolve(undefined) : knownLayout(id, execution, asking.signal)).then(
    (layout) => to.lanes.begin(id, after, layout),
  );
  void read();
  const leave = isLive(execution)
    ? listen(id, to, (events) => {
        if (waiting) waiting.push(...events);
        else if (!takeAll(events)) void read();
      })
    : () => {};
  return () => {
    asking.abort();
    leave();
  };
}

async function page(id: string, to: Following, signal: AbortSignal): Promise<boolean> {
  const query = { after: String(to.lanes.sequence(id)), pageSize: PAGE };
  const { events = [], nextAfter } = await executions.story(id, query, { signal });
  for (const event of events) to.lanes.take(id, event);
  to.version.value += 1;
  return nextAfter !== undefined && events.length > 0;
}

function listen(id: string, to: Following, hear: (events: readonly EventJson[]) => void): () => void {
  const { store, leave } = watchExecution(id);
  const stopHearing = store.onEvents(hear);
  let timer: ReturnType<typeof setTimeout> | undefined;
  const stopPainting = store.version.subscribe(() => {
    timer ??= setTimeout(() => {
      timer = undefined;
      to.version.value = to.version.peek() + 1;
    }, CALM);
  });
  return () => {
    stopHearing();
    stopPainting();
    clearTimeout(timer);
    leave();
  };
}
