// The test mode that `signoff conformance` asks for: docs/reference/protocol.md, "The test mode".

import { mainContent } from "./inputs.js";

const STEP = 100; // ms between two reports of work that takes its time

/** What the task tells a worker on trial to do; undefined for every other task. */
export function testMode(task) {
  if (!task.input?.parameters_json) return undefined;
  return JSON.parse(task.input.parameters_json).conformance;
}

/** Takes its time, and reports progress meanwhile; or computes without a pause. */
export async function takeTime({ seconds = 0, busy = false }, report) {
  const end = performance.now() + seconds * 1000;
  while (busy && performance.now() < end);
  for (let tokens = 1; performance.now() < end; tokens += 1) {
    await new Promise((resolve) => setTimeout(resolve, Math.min(STEP, end - performance.now())));
    report(tokens);
  }
}

/** The files that an executor is to make: each a text, or so many bytes. */
export function filesOf(told) {
  const bytesOf = (content) => (typeof content === "number" ? Buffer.alloc(content, "x") : Buffer.from(content));
  return Object.entries(told.files).map(([path, content]) => ({ path, content: bytesOf(content) }));
}

/** The result of an executor that makes no files. */
export function tested(told, inputs) {
  if (told.fail) {
    const retry_after = told.retry_after ? { seconds: told.retry_after } : undefined;
    return { failure: { kind: `FAILURE_KIND_${told.fail.toUpperCase()}`, message: "as the task asks", retry_after } };
  }
  const content = told.copy ? mainContent(inputs[0]) : Buffer.alloc(told.bytes ?? 4, "x");
  return { candidate: { content, media_type: "text/plain" } };
}
