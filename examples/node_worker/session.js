// One stream to the runner, on a connection of its own: a broken connection is never used again.

import { setTimeout as sleep } from "node:timers/promises";

import { limitsOf, takeFrame } from "./messages.js";
import { newWorkerClient } from "./protos.js";

const MISSED_PINGS = 3;
const WELCOME_WITHIN = 30_000; // ms
const MOST_WAITING = 1000; // messages; beyond that, progress is dropped

export class Session {
  id = ""; // as Welcome names it
  limits = limitsOf({});
  ended; // resolves with the gRPC status
  settled; // resolves once it is welcomed, or has ended
  #client;
  #call;
  #outbox = [];
  #pongs = []; // ahead of everything else: one that waits for megabytes comes too late
  #isWriting = false;
  #isSilent = false;
  #isOver = false;
  #patience = WELCOME_WITHIN; // ms without a word from the runner
  #silence;
  #onWelcome;
  #onMessage;

  /** `onWelcome` and `onMessage` are called in the order in which the runner spoke. */
  constructor(address, { onWelcome, onMessage }) {
    this.#client = newWorkerClient(address);
    this.#onWelcome = onWelcome;
    this.#onMessage = onMessage;
  }

  /** Connects. Rejects when that takes longer than `within` ms. */
  connect(within) {
    return new Promise((resolve, reject) => {
      this.#client.waitForReady(Date.now() + within, (error) => (error ? reject(error) : resolve()));
    });
  }

  /** Opens the stream and says Hello. Nothing else is said before Welcome. */
  greet(hello) {
    this.#call = this.#client.Connect();
    this.settled = new Promise((resolve) => {
      this.ended = new Promise((end) => this.#call.on("status", (status) => (resolve(), end(status))));
      this.#call.on("data", (frame) => (this.#hear(frame), resolve()));
    });
    this.#call.on("error", () => {}); // the status says it
    this.ended.then(() => {
      this.#isOver = true;
      this.close();
    });
    this.#call.write({ messages: [{ hello }] });
    this.#expectAWordWithin(WELCOME_WITHIN);
  }

  /** Sends messages with what else is ready, as soon as the stream takes it. */
  say(...messages) {
    for (const message of messages) {
      if (message.pong) this.#pongs.push(message);
      else if (!message.progress || this.#outbox.length < MOST_WAITING) this.#outbox.push(message);
    }
    if (!this.#isWriting) {
      this.#isWriting = true;
      setImmediate(() => this.#write());
    }
  }

  #write() {
    while (this.#pongs.length + this.#outbox.length && !this.#isSilent) {
      const queue = this.#pongs.length ? this.#pongs : this.#outbox;
      if (!this.#call.write({ messages: takeFrame(queue, this.limits.frame) })) {
        this.#call.once("drain", () => this.#write());
        return;
      }
    }
    this.#isWriting = false;
  }

  /** Says nothing more, but still hears the runner: another session is about to continue this one. */
  fallSilent() {
    this.#isSilent = true;
  }

  /** Says what is left to say, and ends the stream in order. */
  async finish() {
    while (this.#isWriting && !this.#isOver) await sleep(10);
    this.#call.end();
  }

  close() {
    clearTimeout(this.#silence);
    this.#call?.cancel();
    this.#client.close();
  }

  #hear(frame) {
    for (const message of frame.messages) {
      if (message.kind === "welcome") this.#welcomed(message.welcome);
      else if (message.kind === "ping") this.#expectPingsEvery(msOf(message.ping.next_within));
      if (this.id && message.kind !== "welcome") this.#onMessage(message);
    }
    if (this.id) this.#expectAWordWithin(this.#patience);
  }

  #welcomed(welcome) {
    this.id = welcome.session_id;
    this.limits = limitsOf(welcome);
    this.#expectPingsEvery(msOf(welcome.ping_interval) || 10_000);
    this.#onWelcome(this);
  }

  #expectPingsEvery(ms) {
    if (ms) this.#patience = MISSED_PINGS * ms;
  }

  /** The transport may stay up while nothing comes: then the stream is dead all the same. */
  #expectAWordWithin(ms) {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => this.#call.cancel(), ms);
  }
}

export const msOf = (duration) => Number(duration?.seconds ?? 0) * 1000 + Number(duration?.nanos ?? 0) / 1e6;
