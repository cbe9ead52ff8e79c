// The work under one lease, in a thread of its own. Replace `make` here, and `judge` in judging.js, by your own.

import { parentPort, workerData } from "node:worker_threads";

import { verdictOn } from "./judging.js";
import { takeTime, testMode, tested } from "./testing.js";

const { assign, inputs, candidate, maker } = workerData;
const told = testMode(assign.task);

/** The candidate: its bytes and their media type. What it throws is a transient failure. */
async function make() {
  const isJson = /^json/i.test(assign.task.output.format);
  const names = assign.inputs.map((input) => input.name || input.task_id);
  const read = names.map((name, index) => `${name} (${inputs[index].length} bytes)`);
  const text = isJson
    ? JSON.stringify({ task: assign.task.description, read }, null, 2)
    : `# ${assign.task.description}\n\n${read.map((one) => `- ${one}`).join("\n") || "Nothing was read."}\n`;
  return { candidate: { content: Buffer.from(text), media_type: isJson ? "application/json" : "text/markdown" } };
}

if (told) await takeTime(told, (tokens) => parentPort.postMessage({ progress: { tokens } }));
const isToBeJudged = assign.phase === "PHASE_VALIDATE";
const result = isToBeJudged
  ? { verdict: { ...verdictOn(candidate, assign.task, told), judge: maker } }
  : told
    ? tested(told, inputs)
    : await make();
parentPort.postMessage({ result });
parentPort.close();
