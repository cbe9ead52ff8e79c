import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Hub, type Port } from "../../src/stream/hub";
import type { ToTab } from "../../src/stream/messages";

/** A door's event stream, as far as the hub sees it: what it was asked, and a way to send. */
class Stream {
  static opened: Stream[] = [];
  readonly url: URL;
  readonly lastId: string | null;
  private control!: ReadableStreamDefaultController<Uint8Array>;
  readonly body = new ReadableStream<Uint8Array>({
    start: (control) => {
      this.control = control;
    },
  });

  constructor(url: string, init: RequestInit) {
    this.url = new URL(url);
    this.lastId = new Headers(init.headers).get("Last-Event-ID");
    init.signal?.addEventListener("abort", () => this.fail());
    Stream.opened.push(this);
  }

  send(event: string, data: object, id = ""): void {
    const text = `${id && `id: ${id}\n`}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
    this.control.enqueue(new TextEncoder().encode(text));
  }

  fail(): void {
    try {
      this.control.error(new DOMException("gone", "AbortError"));
    } catch {
      // it was closed before
    }
  }

  get executions(): string[] {
    return this.url.searchParams.getAll("execution");
  }
}

class Tab implements Port {
  readonly heard: ToTab[] = [];
  readonly post = (message: ToTab) => void this.heard.push(structuredClone(message));
  of<K extends ToTab["kind"]>(kind: K): Extract<ToTab, { kind: K }>[] {
    return this.heard.filter((one): one is Extract<ToTab, { kind: K }> => one.kind === kind);
  }
  get connection() {
    return this.of("connection").at(-1)?.connection;
  }
}

const snapshot = (id: string, sequence: number) => ({
  execution: { executionId: id, sequence: String(sequence), state: "EXECUTION_STATE_RUNNING" },
  tasks: [{ taskId: "1", stage: 1, status: "TASK_STATUS_UNDONE" }],
  last: true,
});
const assigned = (sequence: number) => ({
  sequence: String(sequence),
  at: "2026-01-01T00:00:00Z",
  taskId: "1",
  taskAssigned: { attempt: 1, phase: "PHASE_EXECUTE", worker: "w1" },
});

let answers: ((url: string, init: RequestInit) => Response)[] = [];

beforeEach(() => {
  vi.useFakeTimers();
  Stream.opened = [];
  answers = [];
  vi.stubGlobal("fetch", async (url: string, init: RequestInit) => {
    const answer = answers.shift();
    return answer ? answer(url, init) : new Response(new Stream(url, init).body, { status: 200 });
  });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const settled = () => vi.advanceTimersByTimeAsync(20);
const latest = () => Stream.opened.at(-1)!;
const hubOf = () => new Hub("http://door.example/below/");

describe("the hub", () => {
  it("holds one stream for all tabs, and gives each what it watches", async () => {
    const [hub, one, two] = [hubOf(), new Tab(), new Tab()];
    hub.receive(one, { kind: "watch", execution: "a", thinking: false });
    hub.receive(two, { kind: "watch", execution: "a", thinking: false });
    await settled();
    expect(Stream.opened).toHaveLength(1);
    expect(latest().url.pathname).toBe("/below/api/v1/events");
    latest().send("snapshot", snapshot("a", 3), "c3");
    latest().send("events", { executionId: "a", events: [assigned(4)] }, "c4");
    await settled();
    for (const tab of [one, two]) {
      expect(tab.of("snapshot")).toHaveLength(1);
      expect(tab.of("events").map(({ events }) => events[0]?.sequence)).toEqual(["4"]);
      expect(tab.connection?.kind).toBe("live");
    }
  });

  it("gives a tab that joins the state of the moment, and asks the door nothing", async () => {
    const [hub, one, late] = [hubOf(), new Tab(), new Tab()];
    hub.receive(one, { kind: "watch", execution: "a", thinking: false });
    await settled();
    latest().send("snapshot", snapshot("a", 3), "c3");
    latest().send("events", { executionId: "a", events: [assigned(4)] }, "c4");
    await settled();
    hub.receive(late, { kind: "watch", execution: "a", thinking: false });
    expect(Stream.opened).toHaveLength(1);
    const [told] = late.of("snapshot");
    expect(told?.snapshot.execution.sequence).toBe("4");
    expect(told?.snapshot.tasks[0]).toMatchObject({ status: "TASK_STATUS_DOING", worker: "w1" });
  });

  it("comes back after a loss with the last id, and says meanwhile as of when it is", async () => {
    const [hub, tab] = [hubOf(), new Tab()];
    hub.receive(tab, { kind: "watch", execution: "a", thinking: false });
    await settled();
    latest().send("snapshot", snapshot("a", 3), "c3");
    await settled();
    const heardAt = Date.now();
    latest().fail();
    await settled();
    expect(tab.connection).toMatchObject({ kind: "lost" });
    expect((tab.connection as { asOf: number }).asOf).toBeLessThanOrEqual(heardAt);
    await vi.advanceTimersByTimeAsync(2000);
    expect(Stream.opened).toHaveLength(2);
    expect(latest().lastId).toBe("c3");
    expect(tab.connection?.kind).toBe("live");
  });

  it("takes a stream without a sign of life for lost", async () => {
    const [hub, tab] = [hubOf(), new Tab()];
    hub.receive(tab, { kind: "watch", execution: "a", thinking: false });
    await settled();
    await vi.advanceTimersByTimeAsync(46_000);
    expect(tab.of("connection").map(({ connection }) => connection.kind)).toContain("lost");
  });

  it("asks about a further execution too, from the beginning, and leaves what no tab watches", async () => {
    const [hub, one, two] = [hubOf(), new Tab(), new Tab()];
    hub.receive(one, { kind: "watch", execution: "a", thinking: false });
    await settled();
    latest().send("snapshot", snapshot("a", 3), "c3");
    await settled();
    hub.receive(two, { kind: "watch", execution: "b", thinking: true });
    await settled();
    expect(latest().executions).toEqual(["a", "b"]);
    expect(latest().url.searchParams.get("thinking")).toBe("1");
    expect(latest().lastId).toBeNull();
    hub.receive(two, { kind: "bye" });
    await settled();
    expect(latest().executions).toEqual(["a"]);
  });

  it("tells only those who watch an execution that it does not exist, and goes on with the others", async () => {
    const [hub, one, two] = [hubOf(), new Tab(), new Tab()];
    hub.receive(one, { kind: "watch", execution: "a", thinking: false });
    await settled();
    latest().send("snapshot", snapshot("a", 3), "c3");
    await settled();
    const body = JSON.stringify({
      detail: "expected an execution, but there is none with the id b",
      status: 404,
    });
    answers = [
      () => new Response(body, { status: 404, headers: { "Content-Type": "application/problem+json" } }),
    ];
    hub.receive(two, { kind: "watch", execution: "b", thinking: false });
    await settled();
    expect(two.of("refused").map(({ sentence }) => sentence)).toEqual([
      "expected an execution, but there is none with the id b",
    ]);
    expect(one.of("refused")).toEqual([]);
    expect(latest().executions).toEqual(["a"]);
  });

  it("tells why an execution cannot be followed any more, and follows it no more", async () => {
    const [hub, tab] = [hubOf(), new Tab()];
    hub.receive(tab, { kind: "watch", execution: "a", thinking: false });
    await settled();
    latest().send("problem", { executionId: "a", detail: "it was removed" });
    await settled();
    expect(tab.of("refused").map(({ sentence }) => sentence)).toEqual(["it was removed"]);
    expect(tab.connection?.kind).toBe("idle");
  });

  it("says that the runner is away, and that it is back", async () => {
    const [hub, tab] = [hubOf(), new Tab()];
    hub.receive(tab, { kind: "watch", execution: "a", thinking: false });
    await settled();
    latest().send("away", { detail: "no runner answers", asOf: "2026-01-01T12:04:31Z" });
    await settled();
    expect(tab.connection).toEqual({
      kind: "away",
      asOf: Date.parse("2026-01-01T12:04:31Z"),
      sentence: "no runner answers",
    });
    latest().send("back", {});
    await settled();
    expect(tab.connection?.kind).toBe("live");
  });

  it("forgets a tab that has been silent, and asks it again when it wakes", async () => {
    const [hub, tab] = [hubOf(), new Tab()];
    hub.receive(tab, { kind: "watch", execution: "a", thinking: false });
    await settled();
    await vi.advanceTimersByTimeAsync(301_000);
    hub.receive(new Tab(), { kind: "alive" });
    hub.receive(tab, { kind: "alive" });
    expect(tab.of("again")).toHaveLength(1);
  });
});
