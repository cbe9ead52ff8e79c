// The whole journal of a run for its time line, read page by page, and the events that come meanwhile and after.
import { executions } from "../../../api";
import type { EventJson } from "../../../gen/signoff/v1/execution_pb";
import type { ExecutionStore } from "../../../store";
import { Lanes } from "./lanes";

const PAGE = 1000;

/** Returns the lanes after all that has happened; they go on with the store's events until the signal says stop. */
export async function followJournal(store: ExecutionStore, signal: AbortSignal): Promise<Lanes> {
  const lanes = new Lanes();
  const meanwhile: EventJson[] = [];
  let isRead = false;
  const stop = store.onEvents((events) => {
    if (isRead) for (const event of events) lanes.take(event);
    else meanwhile.push(...events);
  });
  signal.addEventListener("abort", stop);
  await readAll(store.id, lanes, signal);
  for (const event of meanwhile) lanes.take(event); // those that were read already change nothing
  isRead = true;
  return lanes;
}

async function readAll(execution: string, lanes: Lanes, signal: AbortSignal): Promise<void> {
  for (let after = "0"; after; ) {
    const { events = [], nextAfter = "" } = await executions.story(
      execution,
      { after, pageSize: PAGE },
      { signal },
    );
    for (const event of events) lanes.take(event);
    after = events.length > 0 ? nextAfter : "";
  }
}
