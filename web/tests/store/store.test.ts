import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { EventJson } from "../../src/gen/signoff/v1/execution_pb";
import { ExecutionStore, THINKING_TAIL } from "../../src/store/store";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function begun(): ExecutionStore {
  const store = new ExecutionStore("a");
  store.begin({ execution: { executionId: "a", sequence: "0" }, tasks: [{ taskId: "1" }, { taskId: "2" }] });
  vi.runAllTimers();
  return store;
}

const event = (n: number): EventJson => ({
  sequence: String(n),
  taskId: n % 2 ? "1" : "2",
  usageRecorded: {},
});

describe("the store", () => {
  it("rises once for all that comes within a frame", () => {
    const store = begun();
    const before = store.version.value;
    for (let n = 1; n <= 1000; n += 1) store.take([event(n)]);
    expect(store.version.value).toBe(before);
    vi.runAllTimers();
    expect(store.version.value).toBe(before + 1);
    expect([...store.lastChanged]).toEqual([0, 1]);
  });

  it("hands events on until that is no longer wanted", () => {
    const store = begun();
    const seen: number[] = [];
    const stop = store.onEvents((events) => seen.push(events.length));
    store.take([event(1), event(2)]);
    stop();
    store.take([event(3)]);
    expect(seen).toEqual([2]);
  });

  it("keeps the tail of what a worker thinks, of one attempt at a time", () => {
    const store = begun();
    const think = (text: string, attempt = 1, gap = false) =>
      store.think([{ taskId: "1", attempt, phase: "PHASE_EXECUTE", text, gap }]);
    think("I read");
    think(" the plan");
    think("later", 1, true);
    expect(store.thinking.get("1")?.text).toBe("I read the plan … later");
    think("anew", 2);
    expect(store.thinking.get("1")?.text).toBe("anew");
    think("x".repeat(2 * THINKING_TAIL), 2);
    expect(store.thinking.get("1")?.text).toHaveLength(THINKING_TAIL);
  });

  it("forgets what was thought once no worker holds the task", () => {
    const store = begun();
    const phase = "PHASE_EXECUTE";
    store.take([{ sequence: "1", taskId: "1", taskAssigned: { attempt: 1, phase, worker: "w1" } }]);
    store.think([{ taskId: "1", attempt: 1, phase, text: "I read" }]);
    store.take([{ sequence: "2", taskId: "1", usageRecorded: {} }]);
    expect(store.thinking.has("1")).toBe(true);
    store.take([{ sequence: "3", taskId: "1", candidateStored: { attempt: 1 } }]);
    expect(store.thinking.has("1")).toBe(false);
  });
});
