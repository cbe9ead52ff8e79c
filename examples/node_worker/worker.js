#!/usr/bin/env node
// A worker for signoff: node worker.js --role executor|validator --runner ADDRESS
//
//   worker.js        the process: flags, signals, exit code
//   conversation.js  one session after another: Hello, Welcome, reconnecting, Rotate
//   session.js       one stream: frames in, frames out, silence
//   bench.js         the leases it holds, and the work under each: what survives a lost stream
//   inputs.js        what it is given: contents that are fetched, and their files
//   uploads.js       files that it has made, on their way to the runner
//   manifest.js      the manifest that names them, with patterns.js and media_types.json
//   messages.js      results as messages, messages as frames: what fits, and what does not
//   work.js          the work itself, in a thread for each lease: the part to replace by your own
//   judging.js       what a validator does with a candidate
//   testing.js       the test mode, for `signoff conformance`
//   protos.js        the contract, from the .proto files

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import { parseArgs } from "node:util";

import { Bench } from "./bench.js";
import { Conversation, Refused } from "./conversation.js";

const { values: flags } = parseArgs({
  options: {
    role: { type: "string", default: "executor" },
    runner: { type: "string", default: "127.0.0.1:50052" },
    name: { type: "string", default: "" },
    slots: { type: "string", default: "4" },
    grace: { type: "string", default: "10" }, // seconds to finish what is in hand when asked to end
  },
});

const ROLES = { executor: "WORKER_ROLE_EXECUTOR", validator: "WORKER_ROLE_VALIDATOR" };
const slots = Number(flags.slots);
if (!ROLES[flags.role] || !(slots >= 1 && slots <= 10_000) || !(Number(flags.grace) >= 0)) {
  const usage = "--role executor|validator [--runner HOST:PORT] [--name NAME] [--slots 1..10000] [--grace SECONDS]";
  console.error(`usage: node worker.js ${usage}`);
  process.exit(2);
}

const { version } = JSON.parse(readFileSync(new URL("package.json", import.meta.url)));
// Digest of what makes the results: what it made need not be made again while nothing has changed.
const maker = createHash("sha256").update(`node example ${version}`).digest("hex");

const identity = {
  role: ROLES[flags.role],
  name: flags.name || `node-${flags.role}-${hostname()}-${process.pid}`,
  slots,
  version,
  maker: flags.role === "executor" ? maker : "",
  // Plans ask for the second by name. Files are made by no model, so a task with `output.files` names another handler.
  handlers: flags.role === "executor" ? ["model", "write_files"] : [],
  features: ["files"], // a worker without it is given no task that makes or reads results of several files
};

const bench = new Bench({ address: flags.runner, slots, maker });
const conversation = new Conversation({ address: flags.runner, identity, bench });

for (const signal of ["SIGTERM", "SIGINT"]) {
  process.once(signal, () => conversation.leave(Number(flags.grace) * 1000));
}

try {
  await conversation.run();
  process.exitCode = 0;
} catch (error) {
  if (!(error instanceof Refused)) throw error;
  console.error(`worker: ${error.message}`);
  process.exitCode = 1;
} finally {
  bench.end();
}
