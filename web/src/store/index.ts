export { AWAITS_PERSON, type ExecutionFold, GIVEN_UP, instant, TROUBLED } from "./fold";
export * from "./status";
export { ExecutionStore, type Thought } from "./store";
export { sumUsage, type Total } from "./usage";
export { type Wait, Waits, type WaitsFor } from "./waits";
