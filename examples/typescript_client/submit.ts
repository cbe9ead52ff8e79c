// Compiles a plan, starts it on services that run already, and follows it to its end: npm run submit -- PLAN [PLAN_ID]
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { readFile } from "node:fs/promises";
import { basename, dirname, resolve } from "node:path";
import { ExecutionState } from "./gen/ts/signoff/v1/execution_pb.js";
import { PlannerService } from "./gen/ts/signoff/v1/planner_pb.js";
import { RunnerService } from "./gen/ts/signoff/v1/runner_pb.js";

const planner = createClient(PlannerService, createGrpcTransport({ baseUrl: "http://127.0.0.1:50051" }));
const runner = createClient(RunnerService, createGrpcTransport({ baseUrl: "http://127.0.0.1:50052" }));
const CHUNK = 1 << 20; // a message has at most 4 MiB

async function* upload(planId: string, planJson: Uint8Array) {
  for (let at = 0; at < planJson.length; at += CHUNK) {
    yield { planId: at ? "" : planId, planJson: planJson.subarray(at, at + CHUNK) };
  }
}

const file = resolve(process.argv[2] ?? "plan.json");
const planId = process.argv[3] ?? basename(dirname(file));
for await (const { diagnostics } of planner.compilePlan(upload(planId, await readFile(file)))) {
  for (const { code, message } of diagnostics) console.error(`${code}: ${message}`);
}
const { execution } = await runner.startExecution({ planId, requestId: crypto.randomUUID() });
const ref = { ref: { case: "executionId" as const, value: execution!.executionId } };
for await (const { content } of runner.watchExecution({ ref, afterSequence: 0n, follow: true })) {
  if (content.case !== "events") continue;
  for (const { sequence, taskId, kind } of content.value.events) console.log(`${sequence}\t${taskId}\t${kind.case}`);
}
const ended = (await runner.getExecution({ ref })).execution!;
process.exitCode = ended.state === ExecutionState.SUCCEEDED ? 0 : 1;
