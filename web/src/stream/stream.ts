// A tab's side of the shared stream: which executions it watches, and the store of each.
import { signal } from "@preact/signals";
import { ExecutionStore } from "../store/store";
import { type Channel, openChannel } from "./channels";
import type { Connection, ToTab } from "./messages";

const SIGN_OF_LIFE = 30_000;

export const connection = signal<Connection>({ kind: "idle" });

type Watch = { readonly store: ExecutionStore; users: number; thinkers: number };
const watches = new Map<string, Watch>();
let channel: Channel | undefined;

/**
 * Watches an execution, for as long as one user has not called what is returned. All users of a tab share the store.
 * `thinking`: also what the workers think aloud.
 */
export function watchExecution(
  id: string,
  options: { thinking?: boolean } = {},
): { store: ExecutionStore; leave: () => void } {
  const watch = watches.get(id) ?? { store: new ExecutionStore(id), users: 0, thinkers: 0 };
  watches.set(id, watch);
  watch.users += 1;
  watch.thinkers += options.thinking ? 1 : 0;
  say(id, watch);
  let left = false;
  const leave = () => {
    if (left) return;
    left = true;
    watch.users -= 1;
    watch.thinkers -= options.thinking ? 1 : 0;
    // Two pages that follow one another both watch the same execution: only what stays unused is left.
    setTimeout(() => settle(id, watch), 1000);
  };
  return { store: watch.store, leave };
}

function settle(id: string, watch: Watch): void {
  if (watches.get(id) !== watch) return;
  if (watch.users > 0) {
    say(id, watch);
    return;
  }
  watches.delete(id);
  open().say({ kind: "leave", execution: id });
}

function say(id: string, watch: Watch): void {
  open().say({ kind: "watch", execution: id, thinking: watch.thinkers > 0 });
}

function open(): Channel {
  if (channel) return channel;
  const opened = openChannel(hear);
  channel = opened;
  setInterval(() => opened.say({ kind: "alive" }), SIGN_OF_LIFE);
  addEventListener("pagehide", () => opened.say({ kind: "bye" }));
  addEventListener("pageshow", () => opened.say({ kind: "alive" }));
  return opened;
}

function hear(message: ToTab): void {
  if (message.kind === "connection") connection.value = message.connection;
  else if (message.kind === "again") for (const [id, watch] of watches) say(id, watch);
  else tell(message);
}

function tell(message: Exclude<ToTab, { kind: "connection" | "again" }>): void {
  const store = watches.get(message.id)?.store;
  if (!store) return;
  if (message.kind === "snapshot") store.begin(message.snapshot);
  else if (message.kind === "events") store.take(message.events);
  else if (message.kind === "thinking") store.think(message.thinking);
  else if (message.kind === "refused") store.refuse(message.sentence);
}
