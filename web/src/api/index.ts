export * from "./calls";
export { addressOf, getAnswer, isAborted, newKey, type Options, sentenceOf } from "./client";
export { type PlacedDiagnostic, Problem, type ProblemBody, Unreachable } from "./problem";
export { type Resource, useResource } from "./resource";
