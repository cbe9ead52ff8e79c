// The work under one lease, in a thread of its own. Replace `make` and `write`, and `judge` in judging.js, by your own.

import { parentPort, workerData } from "node:worker_threads";

import { verdictOn } from "./judging.js";
import { candidateOf } from "./manifest.js";
import { filesOf, takeTime, testMode, tested } from "./testing.js";

const { assign, inputs, candidate, maker } = workerData;
const told = testMode(assign.task);
const patterns = assign.task.output.files; // none: the result is one content
const names = assign.inputs.map((input) => input.name || input.task_id);

/** The candidate: its bytes and their media type. What it throws is a transient failure. */
async function make() {
  const isJson = /^json/i.test(assign.task.output.format);
  const text = isJson
    ? JSON.stringify({ task: assign.task.description, read: read() }, null, 2)
    : `# ${assign.task.description}\n\n${listed(read())}\n`;
  return { candidate: { content: Buffer.from(text), media_type: isJson ? "application/json" : "text/markdown" } };
}

/** The files of a candidate, with their paths: one for each pattern, or for each input where the pattern has a `*`. */
async function write() {
  const text = `# ${assign.task.description}\n\n${listed(read())}\n`;
  return patterns.flatMap((pattern) => {
    if (!pattern.includes("*")) return [{ path: pattern, content: Buffer.from(text) }];
    const about = (name, index) => ({ path: pattern.replace(/\*+/g, asFileName(name)), content: contentOf(index) });
    return names.map(about);
  });
}

const listed = (lines) => lines.map((one) => `- ${one}`).join("\n") || "Nothing was read.";
const asFileName = (name) => name.replace(/[^\p{L}\p{N}_-]/gu, "_");
const contentOf = (index) => Buffer.from(inputs[index].content);

/** A line for each input, or for each of its files. */
function read() {
  const linesOf = (name, { content, files }) =>
    files ? files.map(({ path, size }) => `${name}/${path} (${size} bytes)`) : [`${name} (${content.length} bytes)`];
  return names.flatMap((name, index) => linesOf(name, inputs[index]));
}

async function result() {
  if (assign.phase === "PHASE_VALIDATE") {
    return { verdict: { ...verdictOn(candidate, assign.task, told), judge: maker } };
  }
  if (!patterns.length) return told ? tested(told, inputs) : make();
  try {
    return candidateOf(told ? filesOf(told) : await write(), patterns);
  } catch (error) {
    return { failure: { kind: "FAILURE_KIND_TRANSIENT", message: error.message } };
  }
}

if (told) await takeTime(told, (tokens) => parentPort.postMessage({ progress: { tokens } }));
parentPort.postMessage({ result: await result() });
parentPort.close();
