export type { Connection, Snapshot } from "./messages";
export { connection, watchExecution } from "./stream";
export { useExecution } from "./use";
