// Brings the files of a candidate to the runner, under the lease of the work that has made them.

import { setTimeout as sleep } from "node:timers/promises";

import { status } from "@grpc/grpc-js";

const ASKED_AT_ONCE = 1000; // digests in one question
const PIECE = 1024 * 1024; // bytes of a file in one message; the most is 4 MiB for the message
const MOST_ROUNDS = 5; // uploads after which a runner that still misses files is not believed
const [FIRST_PAUSE, LONGEST_PAUSE] = [500, 10_000]; // ms

/** What may pass by itself: the runner is away or busy, or the stream broke. */
const PASSING = new Set([
  status.UNAVAILABLE,
  status.RESOURCE_EXHAUSTED,
  status.DEADLINE_EXCEEDED,
  status.ABORTED,
  status.CANCELLED,
]);

/**
 * Returns once the runner has all files, or when `signal` says that the lease has ended. Throws the error of a call
 * that no further try can mend.
 */
export async function bring(runner, lease_id, files, { signal, onProgress }) {
  const byDigest = new Map(files.map((file) => [file.digest, file])); // equal files are sent once
  let [rounds, failures] = [0, 0];
  while (!signal.aborted) {
    try {
      const missing = await missingOf(runner, lease_id, [...byDigest.keys()]);
      onProgress();
      if (!missing.length) return;
      if (rounds === MOST_ROUNDS) throw new Error(`the runner misses files that were sent ${rounds} times`);
      await upload(runner, lease_id, missing.map((digest) => byDigest.get(digest)), signal);
      [rounds, failures] = [rounds + 1, 0];
    } catch (error) {
      if (!PASSING.has(error.code)) throw error;
      await pause(failures++, signal);
    }
  }
}

function pause(failures, signal) {
  const most = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 1.5 ** failures);
  return sleep((most * (1 + Math.random())) / 2, undefined, { signal }).catch(() => {}); // the end of the lease ends it
}

/** Those digests that the runner does not have. What an earlier stream has brought under the lease, it has. */
async function missingOf(runner, lease_id, digests) {
  const missing = [];
  for (let at = 0; at < digests.length; at += ASKED_AT_ONCE) {
    missing.push(...(await asked(runner, { digests: digests.slice(at, at + ASKED_AT_ONCE), lease_id })));
  }
  return missing;
}

function asked(runner, request) {
  return new Promise((resolve, reject) => {
    runner.ListMissingContents(request, (error, answer) => (error ? reject(error) : resolve(answer.digests)));
  });
}

/** One stream with some files. The next message is made when the one before is on its way. */
function upload(runner, lease_id, files, signal) {
  return new Promise((resolve, reject) => {
    const call = runner.UploadFiles((error) => (error ? reject(error) : resolve()));
    const cancel = () => call.cancel();
    signal.addEventListener("abort", cancel, { once: true });
    call.on("status", () => signal.removeEventListener("abort", cancel));
    const messages = messagesOf(lease_id, files);
    const write = () => {
      for (let next = messages.next(); !next.done; next = messages.next()) {
        if (!call.write(next.value)) return void call.once("drain", write);
      }
      call.end();
    };
    write();
  });
}

/** A message begins a file and has its first bytes; those without a digest go on with it. The first names the lease. */
function* messagesOf(lease_id, files) {
  for (const { digest, size, content } of files) {
    yield { lease_id, digest, size_bytes: size, chunk: content.subarray(0, PIECE) };
    for (let at = PIECE; at < size; at += PIECE) yield { chunk: content.subarray(at, at + PIECE) };
    lease_id = "";
  }
}
