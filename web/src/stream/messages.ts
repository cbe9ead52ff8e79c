// What the hub and the tabs say to each other. One hub in the browser holds the one event stream that all tabs share.
import type { EventJson, ExecutionJson, TaskStateJson } from "../gen/signoff/v1/execution_pb";
import type { ThinkingJson } from "../gen/signoff/v1/runner_pb";

/** How the stream is. `asOf` is when the last word came (Unix milliseconds), 0 when none has come yet. */
export type Connection =
  | { readonly kind: "idle" }
  | { readonly kind: "connecting"; readonly asOf: number }
  | { readonly kind: "live"; readonly asOf: number }
  | { readonly kind: "lost"; readonly asOf: number; readonly sentence: string }
  | { readonly kind: "away"; readonly asOf: number; readonly sentence: string };

/** An execution with all of its tasks, right after the event `execution.sequence`. */
export type Snapshot = { readonly execution: ExecutionJson; readonly tasks: readonly TaskStateJson[] };

export type ToHub =
  | { readonly kind: "watch"; readonly execution: string; readonly thinking: boolean }
  | { readonly kind: "leave"; readonly execution: string }
  | { readonly kind: "alive" }
  | { readonly kind: "bye" };

export type ToTab =
  | { readonly kind: "connection"; readonly connection: Connection }
  | { readonly kind: "snapshot"; readonly id: string; readonly snapshot: Snapshot }
  | { readonly kind: "events"; readonly id: string; readonly events: readonly EventJson[] }
  | { readonly kind: "thinking"; readonly id: string; readonly thinking: readonly ThinkingJson[] }
  | { readonly kind: "ended"; readonly id: string }
  | { readonly kind: "refused"; readonly id: string; readonly sentence: string }
  /** The hub does not know this tab: it is new, or the tab was silent for too long. The tab says again what it watches. */
  | { readonly kind: "again" };
