// The whole journal of a run for its time line and its table, read page by page, and the events that come meanwhile and
// after.
import { executions } from "../../../api";
import type { EventJson } from "../../../gen/signoff/v1/execution_pb";
import type { ExecutionStore } from "../../../store";

const PAGE = 1000;

/** An event that it has had already changes nothing. */
type Reader = { readonly take: (event: EventJson) => void };

/** Returns the reader after all that has happened; it goes on with the store's events until the signal says stop. */
export async function followJournal<R extends Reader>(
  store: ExecutionStore,
  reader: R,
  signal: AbortSignal,
): Promise<R> {
  const meanwhile: EventJson[] = [];
  let isRead = false;
  const stop = store.onEvents((events) => {
    if (isRead) for (const event of events) reader.take(event);
    else meanwhile.push(...events);
  });
  signal.addEventListener("abort", stop);
  await readAll(store.id, reader, signal);
  for (const event of meanwhile) reader.take(event); // those that were read already change nothing
  isRead = true;
  return reader;
}

async function readAll(execution: string, reader: Reader, signal: AbortSignal): Promise<void> {
  for (let after = "0"; after; ) {
    const { events = [], nextAfter = "" } = await executions.story(
      execution,
      { after, pageSize: PAGE },
      { signal },
    );
    for (const event of events) reader.take(event);
    after = events.length > 0 ? nextAfter : "";
  }
}
