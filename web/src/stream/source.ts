// One connection to the door's event stream, and the way back to it after a loss. `fetch` rather than EventSource: it
// tells the status and the sentence of an answer that says no, which EventSource keeps to itself.
import { problemOf } from "../api/problem";
import { type Message, MessageReader } from "./sse";

const SILENCE = 45_000; // the door sends a comment every 15 s: three missed ones are a lost connection
const FIRST_WAIT = 1_000;
const LONGEST_WAIT = 15_000;

export type SourceEnd = {
  readonly sentence: string;
  readonly status: number;
  readonly metadata?: Record<string, string>;
};

export type SourceHandlers = {
  readonly opened: () => void;
  readonly message: (message: Message) => void;
  readonly heard: () => void;
  /** The connection is gone, or was refused; another try follows unless this returns false. */
  readonly lost: (end: SourceEnd) => boolean;
};

export class Source {
  private control: AbortController | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private wait = FIRST_WAIT;
  private closed = false;

  constructor(
    private readonly address: () => { url: string; lastId: string },
    private readonly handlers: SourceHandlers,
  ) {
    void this.connect();
  }

  close(): void {
    this.closed = true;
    clearTimeout(this.timer);
    this.control?.abort();
  }

  /** Tries at once, when the browser says that it is online again. */
  hurry(): void {
    if (this.control !== undefined || this.closed) return;
    clearTimeout(this.timer);
    void this.connect();
  }

  private async connect(): Promise<void> {
    const control = new AbortController();
    this.control = control;
    const end = await this.read(control).catch(
      (): SourceEnd => ({ sentence: "", status: 0 }), // the network's own words differ by browser, and are no help here
    );
    this.control = undefined;
    if (this.closed || !this.handlers.lost(end)) return;
    this.timer = setTimeout(() => void this.connect(), this.wait * (0.5 + Math.random() / 2));
    this.wait = Math.min(this.wait * 2, LONGEST_WAIT);
  }

  private async read(control: AbortController): Promise<SourceEnd> {
    const { url, lastId } = this.address();
    const headers: Record<string, string> = { Accept: "text/event-stream" };
    if (lastId) headers["Last-Event-ID"] = lastId;
    const answer = await fetch(url, {
      headers,
      signal: control.signal,
      cache: "no-store",
      credentials: "same-origin",
    });
    if (!answer.ok || !answer.body) {
      const problem = await problemOf(answer);
      return {
        sentence: problem.message,
        status: answer.status,
        ...(problem.body.metadata ? { metadata: problem.body.metadata } : {}),
      };
    }
    this.handlers.opened();
    await this.pump(answer.body, control);
    return { sentence: "", status: 0 };
  }

  private async pump(body: ReadableStream<Uint8Array>, control: AbortController): Promise<void> {
    const reader = new MessageReader(this.handlers.message);
    const texts = body
      .pipeThrough(new TextDecoderStream() as TransformStream<Uint8Array, string>)
      .getReader();
    let watchdog = setTimeout(() => control.abort(), SILENCE);
    try {
      for (;;) {
        const { done, value } = await texts.read();
        if (done) return;
        clearTimeout(watchdog);
        watchdog = setTimeout(() => control.abort(), SILENCE);
        this.handlers.heard();
        reader.read(value);
        this.wait = reader.retry ?? FIRST_WAIT;
      }
    } finally {
      clearTimeout(watchdog);
    }
  }
}
