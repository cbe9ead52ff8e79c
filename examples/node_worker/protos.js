// The contract, read from the .proto files when the worker starts.

import { fileURLToPath } from "node:url";

import { credentials, loadPackageDefinition } from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";

const FOLDER = process.env.SIGNOFF_PROTOS ?? fileURLToPath(new URL("../../protos", import.meta.url));

const definition = loadSync(["signoff/v1/worker.proto", "signoff/v1/runner.proto"], {
  includeDirs: [FOLDER],
  keepCase: true,
  longs: String, // a nonce may be larger than a number can hold
  enums: String,
  defaults: true,
  oneofs: true, // message.kind names the field that is set; undefined for one that a newer runner has added
});

const { WorkerService, RunnerService } = loadPackageDefinition(definition).signoff.v1;

export const MAX_FRAME_BYTES = 4 * 1024 * 1024;

const OPTIONS = {
  "grpc.max_receive_message_length": MAX_FRAME_BYTES,
  "grpc.max_send_message_length": MAX_FRAME_BYTES,
  // Twice what the runner permits at least, so that it never answers "too many pings".
  "grpc.keepalive_time_ms": 20_000,
  "grpc.keepalive_timeout_ms": 10_000,
  // Or a new client would be handed the dead connection of the one before.
  "grpc.use_local_subchannel_pool": 1,
};

export const newWorkerClient = (address) => new WorkerService(address, credentials.createInsecure(), OPTIONS);
export const newRunnerClient = (address) => new RunnerService(address, credentials.createInsecure(), OPTIONS);

/** Bytes of a frame with this one message in it. */
export const sizeOf = (message) => WorkerService.service.Connect.requestSerialize({ messages: [message] }).length;
