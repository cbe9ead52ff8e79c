import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Diagnosed } from "../../../src/api";
import { Checking } from "../../../src/pages/plan/checking";

type Asked = {
  text: string;
  query: unknown;
  answer: (answer: Diagnosed) => void;
  fail: (error: unknown) => void;
};

function door() {
  const asked: Asked[] = [];
  const check = (text: string, options: { query?: unknown; signal?: AbortSignal } = {}) =>
    new Promise<Diagnosed>((answer, fail) => {
      asked.push({ text, query: options.query, answer, fail });
      options.signal?.addEventListener("abort", () => fail(new DOMException("stopped", "AbortError")));
    });
  return { asked, checking: new Checking(check) };
}

describe("the checks of a text that changes", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it("wait until the typing rests", () => {
    const { asked, checking } = door();
    checking.later("a", true);
    checking.later("ab", true);
    expect(asked).toEqual([]);
    vi.runAllTimers();
    expect(asked.map(({ text }) => text)).toEqual(["ab"]);
    expect(checking.busy.value).toBe(true);
  });

  it("wait longer when the text is long", () => {
    const { asked, checking } = door();
    checking.later("a".repeat(300_000), true);
    vi.advanceTimersByTime(500);
    expect(asked).toEqual([]);
    vi.advanceTimersByTime(500);
    expect(asked).toHaveLength(1);
  });

  it("count by the last answer, whichever comes first", async () => {
    const { asked, checking } = door();
    const first = checking.now("a", true);
    const second = checking.now("ab", false);
    asked[1]!.answer({ diagnostics: [{ code: "second" }] });
    asked[0]!.answer({ diagnostics: [{ code: "first" }] });
    await Promise.all([first, second]);
    expect(checking.found.value.map(({ code }) => code)).toEqual(["second"]);
    expect(asked.map(({ query }) => query)).toEqual([{}, { noInfer: 1 }]);
    expect(checking.isCurrent.value).toBe(true);
  });

  it("keep what is known when one fails, and tell why", async () => {
    const { asked, checking } = door();
    checking.take("a", [{ code: "known" }]);
    const failing = checking.now("ab", true);
    asked[0]!.fail(new Error("the planner is away"));
    await failing;
    expect(checking.error.value).toEqual(new Error("the planner is away"));
    expect(checking.found.value.map(({ code }) => code)).toEqual(["known"]);
    expect(checking.busy.value).toBe(false);
  });

  it("leave an answer out that was given up", async () => {
    const { checking } = door();
    const asking = checking.now("a", true);
    checking.cancel();
    await asking;
    expect(checking.error.value).toBeUndefined();
    expect(checking.isCurrent.value).toBe(false);
  });
});
