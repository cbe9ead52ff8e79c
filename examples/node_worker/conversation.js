// The worker's side of the conversation: one session after another, until told to leave or refused for good.

import { setTimeout as sleep } from "node:timers/promises";

import { status } from "@grpc/grpc-js";

import { MAX_FRAME_BYTES } from "./protos.js";
import { Session, msOf } from "./session.js";

/** On Connect, the code alone tells what trying again cannot mend. */
const FINAL = new Set([
  status.INVALID_ARGUMENT, // INVALID_FIELD
  status.FAILED_PRECONDITION, // SESSION_REPLACED
  status.UNAUTHENTICATED,
  status.PERMISSION_DENIED,
  status.UNIMPLEMENTED,
]);
const [FIRST_PAUSE, LONGEST_PAUSE] = [1_000, 30_000]; // ms
const GOODBYE = 5_000; // ms for the runner to end a stream that the worker has ended

export class Refused extends Error {}

export class Conversation {
  #address;
  #identity;
  #bench;
  #current; // the session that the bench speaks on
  #successor; // the session that is about to continue it
  #leaving = new AbortController();

  constructor({ address, identity, bench }) {
    this.#address = address;
    this.#identity = identity;
    this.#bench = bench;
  }

  /** Until `leave`. Throws Refused when the runner will not have this worker. */
  async run() {
    let failures = 0;
    while (!this.#leaving.signal.aborted) {
      const first = (this.#current = this.#newSession());
      first.greet(this.#hello());
      const ended = await this.#endOf(first);
      failures = this.#current.id ? 0 : failures + 1;
      this.#current = undefined;
      this.#bench.streamLost();
      if (FINAL.has(ended.code)) throw new Refused(`the runner at ${this.#address} refused it: ${ended.details}`);
      await this.#pause(Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** failures));
    }
  }

  /** The status that ended a session, or the last of those that continued it. */
  async #endOf(session) {
    const ended = await session.ended;
    await this.#successor?.settled; // the old one may end before the new one is welcomed
    return session === this.#current ? ended : this.#endOf(this.#current);
  }

  /** Full jitter, so that workers that lost the same runner do not come back in the same moment. */
  async #pause(most) {
    await sleep(Math.random() * most, undefined, { signal: this.#leaving.signal }).catch(() => {}); // leaving ends it
  }

  #newSession() {
    return new Session(this.#address, {
      onWelcome: (session) => this.#welcomed(session),
      onMessage: (message) => this.#heard(message),
    });
  }

  #hello(continues_session_id = "") {
    const held_lease_ids = this.#bench.leases;
    return { ...this.#identity, max_frame_bytes: MAX_FRAME_BYTES, held_lease_ids, continues_session_id };
  }

  #welcomed(session) {
    const before = this.#current;
    this.#current = session;
    if (before !== session) before?.close();
    this.#bench.streamLost(); // what was said on an old stream may have been lost with it
    this.#bench.welcomed(session);
  }

  #heard(message) {
    if (message.kind === "rotate") this.#rotate(this.#current, msOf(message.rotate.within));
    else this.#bench.heard(message);
  }

  /** Opens the stream that continues `old`, at a random moment of the time given, while `old` goes on. */
  async #rotate(old, within) {
    await this.#pause(within / 2);
    const next = this.#newSession();
    const isConnected = await next.connect(within / 2).then(() => true, () => false);
    if (!isConnected || old !== this.#current || this.#successor || this.#leaving.signal.aborted) return next.close();
    old.fallSilent();
    this.#successor = next;
    next.greet(this.#hello(old.id));
    await next.settled;
    this.#successor = undefined;
    if (next !== this.#current) old.close(); // it was not welcomed: all is as with a lost stream
  }

  /** Takes nothing new, finishes what fits in `grace` ms, gives the rest back, and ends the stream in order. */
  async leave(grace) {
    this.#bench.drain();
    await Promise.race([this.#bench.empty, atMost(grace)]);
    this.#bench.abandonUnfinished("the worker is about to end");
    this.#leaving.abort();
    const session = this.#current;
    if (!session?.id) return session?.close();
    await session.finish();
    await Promise.race([session.ended, atMost(GOODBYE)]);
    session.close();
  }
}

/** Does not keep the process alive. */
const atMost = (ms) => sleep(ms, undefined, { ref: false });
