// What the worker has to say, in messages and frames that the runner takes.

import { sha256 } from "./manifest.js";
import { MAX_FRAME_BYTES, sizeOf } from "./protos.js";

const FRAME_TARGET = 1024 * 1024; // a frame is sent when it has this many bytes, or when nothing more is ready
const SLACK = 4 * 1024; // bytes of a frame for what surrounds a content or a text
const MOST_BYTES_OF_A_CHARACTER = 4;
const MAX_TEXT = 8 * 1024; // characters; the runner keeps no more of a reason
const MAX_RESULTS = 800; // of a verdict: those of a task with as many criteria and checks as a plan may have

/** What may travel how, mostly in bytes: as Welcome says it, or as by default. */
export function limitsOf(welcome) {
  const or = (value, usual) => Number(value) || usual;
  return {
    frame: Math.min(or(welcome.max_frame_bytes, MAX_FRAME_BYTES), MAX_FRAME_BYTES),
    inline: or(welcome.inline_limit_bytes, 256 * 1024),
    candidate: or(welcome.max_candidate_bytes, 64 * 1024 * 1024),
    files: or(welcome.max_files, 10_000),
    filesBytes: or(welcome.max_files_bytes, 1024 ** 3),
  };
}

/** The messages that tell the runner a result; a large candidate in chunks first. */
export function* messagesOf(lease_id, result, limits, maker) {
  if (result.candidate) yield* candidateMessages(lease_id, result.candidate, limits, maker);
  else if (result.failure) yield { failure: { ...result.failure, lease_id, message: clip(result.failure.message) } };
  else yield { verdict: { ...fittingVerdict(result.verdict, limits), lease_id } };
}

function* candidateMessages(lease_id, { content, media_type }, limits, maker) {
  if (content.length > limits.candidate) {
    const message = `expected a candidate of at most ${limits.candidate} bytes, but the work made ${content.length}`;
    yield { failure: { lease_id, kind: "FAILURE_KIND_PERMANENT", message } };
    return;
  }
  const room = limits.frame - SLACK;
  const fits = content.length <= Math.min(limits.inline, room);
  for (let offset = 0; !fits && offset < content.length; offset += room) {
    yield { candidate_chunk: { lease_id, offset, data: content.subarray(offset, offset + room) } };
  }
  const digest = sha256(content);
  const inline = fits ? content : Buffer.alloc(0);
  yield { candidate: { lease_id, inline, size_bytes: content.length, digest, media_type, maker } };
}

/** The verdict, with its texts cut evenly when it would not fit a frame. */
function fittingVerdict(verdict, limits) {
  const results = verdict.results.slice(0, MAX_RESULTS);
  const cut = (most) => ({
    ...verdict,
    feedback: clip(verdict.feedback, most),
    results: results.map((one) => ({ ...one, criterion: clip(one.criterion, most), reason: clip(one.reason, most) })),
  });
  const whole = cut(MAX_TEXT);
  if (sizeOf({ verdict: whole }) <= limits.frame - SLACK) return whole;
  return cut(Math.floor((limits.frame - SLACK) / (MOST_BYTES_OF_A_CHARACTER * 2 * (results.length + 1))));
}

const clip = (text, most = MAX_TEXT) => [...text].slice(0, most).join("");

/** Takes from the front of `messages` what makes one frame of at most `most` bytes. */
export function takeFrame(messages, most) {
  let [count, size] = [0, 0];
  for (const message of messages) {
    size += sizeOf(message);
    if (count && size > Math.min(FRAME_TARGET, most)) break;
    count += 1;
  }
  return messages.splice(0, count);
}
