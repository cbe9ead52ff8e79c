// The leases a worker holds and the work under each: what survives a lost stream.

import { setMaxListeners } from "node:events";
import { Worker as Thread } from "node:worker_threads";

import { status } from "@grpc/grpc-js";

import { givenBy } from "./inputs.js";
import { limitsOf, messagesOf } from "./messages.js";
import { newRunnerClient } from "./protos.js";
import { bring } from "./uploads.js";

const WORK = new URL("./work.js", import.meta.url);

export class Bench {
  empty; // resolves when no lease is held any more; set by `drain`
  #held = new Map(); // lease id → { assign, isConfirmed, result, thread, ending: aborted when the lease is over }
  #session; // the one to speak on; undefined while there is none
  #limits = limitsOf({}); // of the last session
  #runner;
  #slots;
  #maker;
  #isDraining = false;
  #onEmpty = () => {};

  constructor({ address, slots, maker }) {
    this.#runner = newRunnerClient(address);
    this.#slots = slots;
    this.#maker = maker;
  }

  get leases() {
    return [...this.#held.keys()];
  }

  // ---------------------------------------------------------------- the life of the worker

  welcomed(session) {
    this.#session = session;
    this.#limits = session.limits;
    session.say(this.#isDraining ? { draining: {} } : { credit: { window: this.#slots } });
  }

  streamLost() {
    this.#session = undefined;
    for (const held of this.#held.values()) held.isConfirmed = false; // until Keep, nobody waits for a result
  }

  drain() {
    this.#isDraining = true;
    this.empty = new Promise((resolve) => (this.#onEmpty = resolve));
    this.#say({ draining: {} });
    if (!this.#held.size) this.#onEmpty();
  }

  abandonUnfinished(reason) {
    for (const [lease_id, held] of this.#held) {
      if (held.result) continue;
      this.#forget(lease_id);
      this.#say({ abandon: { lease_id, reason } });
    }
  }

  end() {
    for (const lease of this.leases) this.#forget(lease);
    this.#runner.close();
  }

  // ---------------------------------------------------------------- what the runner says

  heard(message) {
    const lease = message[message.kind]?.lease_id;
    switch (message.kind) {
      case "assign":
        return this.#assigned(message.assign);
      case "ping":
        return this.#say({ pong: { nonce: message.ping.nonce } });
      case "keep":
        return this.#kept(lease);
      case "ack":
      case "stop":
      case "cancel":
      case "superseded":
        return this.#forget(lease);
      case "drain":
        return this.#say({ credit: { window: 0 } });
      default: // attention, because it never thinks aloud; or from a newer runner
    }
  }

  #assigned(assign) {
    const { lease_id } = assign;
    if (this.#isDraining && !this.#held.has(lease_id)) {
      return this.#say({ declined: { lease_id, reason: "the worker is draining" } });
    }
    const isNew = !this.#held.has(lease_id); // given again: the answer was lost
    if (isNew) this.#held.set(lease_id, { assign, isConfirmed: true, ending: newEnding() });
    this.#say({ accepted: { lease_id } });
    if (isNew) this.#work(lease_id);
    else this.#kept(lease_id);
  }

  #kept(lease) {
    const held = this.#held.get(lease);
    if (!held || held.isConfirmed) return;
    held.isConfirmed = true;
    this.#sayResult(lease);
  }

  /** The lease is over, and what runs under it is ended at once, calls included. */
  #forget(lease) {
    const held = this.#held.get(lease);
    held?.ending.abort();
    held?.thread?.terminate();
    this.#held.delete(lease);
    if (!this.#held.size) this.#onEmpty();
  }

  // ---------------------------------------------------------------- the work

  async #work(lease) {
    const { assign, ending } = this.#held.get(lease);
    try {
      const given = await givenBy(assign, this.#runner, ending.signal);
      if (this.#held.has(lease)) this.#begin(lease, given);
    } catch (error) {
      if (isStale(error)) return this.#forget(lease);
      this.#done(lease, broken(assign, `an input could not be fetched: ${error.message}`));
    }
  }

  /** In a thread of its own: it may compute for as long as it likes, and pings are answered all the same. */
  #begin(lease, given) {
    const held = this.#held.get(lease);
    held.thread = new Thread(WORK, { workerData: { assign: held.assign, maker: this.#maker, ...given } });
    held.thread.on("message", ({ progress, result }) => {
      if (result?.files) this.#bring(lease, result);
      else if (result) this.#done(lease, result);
      else if (this.#held.has(lease)) this.#say({ progress: { lease_id: lease, ...progress } });
    });
    held.thread.on("error", (error) => this.#done(lease, broken(held.assign, `a bug in the work: ${error.message}`)));
  }

  /** The files go first: a candidate that names them counts only when all of them have come. */
  async #bring(lease, { files, candidate }) {
    const held = this.#held.get(lease);
    if (!held) return;
    const { signal } = held.ending;
    try {
      checkMost(files, this.#limits);
      const onProgress = () => !signal.aborted && this.#say({ progress: { lease_id: lease } });
      await bring(this.#runner, lease, files, { signal, onProgress });
      this.#done(lease, { candidate });
    } catch (error) {
      if (isStale(error)) return this.#forget(lease);
      this.#done(lease, broken(held.assign, `the files were not taken: ${error.message}`));
    }
  }

  #done(lease, result) {
    const held = this.#held.get(lease);
    if (!held || held.result) return;
    if (result.candidate) result.candidate.content = Buffer.from(result.candidate.content);
    held.result = result;
    if (held.isConfirmed) this.#sayResult(lease);
  }

  /** Kept until it is acknowledged; said again on a stream that is new. */
  #sayResult(lease) {
    const { result } = this.#held.get(lease);
    if (result) this.#say(...messagesOf(lease, result, this.#limits, this.#maker));
  }

  #say(...messages) {
    this.#session?.say(...messages);
  }
}

/** Aborted when a lease is over. Each call under the lease listens, and there may be one for each of many inputs. */
function newEnding() {
  const ending = new AbortController();
  setMaxListeners(0, ending.signal);
  return ending;
}

/** STALE_LEASE: the runner has taken the lease back, and expects no word about it. */
const isStale = (error) => error.code === status.FAILED_PRECONDITION;

function checkMost(files, most) {
  if (files.length > most.files) throw new Error(`expected at most ${most.files} files, but got ${files.length}`);
  const bytes = files.reduce((sum, { size }) => sum + size, 0);
  if (bytes > most.filesBytes) throw new Error(`expected at most ${most.filesBytes} bytes of files, but got ${bytes}`);
}

/** What keeps the work from being done, as the phase can say it. */
function broken(assign, message) {
  if (assign.phase !== "PHASE_VALIDATE") return { failure: { kind: "FAILURE_KIND_TRANSIENT", message } };
  return { verdict: { outcome: "OUTCOME_ERROR", results: [], feedback: message } };
}
