// @vitest-environment happy-dom
import { beforeEach, describe, expect, it, vi } from "vitest";
import { drafts, keepDraft, readDraft } from "../../../src/pages/plan/drafts";
import { Editing, TEMPLATE } from "../../../src/pages/plan/editing";

describe("a plan that is edited", () => {
  beforeEach(() => sessionStorage.clear());

  it("begins with what is stored, and is not changed", () => {
    const editing = new Editing("p", { kind: "text", text: "{}" });
    expect(editing.text.value).toBe("{}");
    expect(editing.isDirty.value).toBe(false);
  });

  it("begins with a form to fill in when there is no such plan", () => {
    const editing = new Editing("p", { kind: "missing" });
    expect(editing.text.value).toBe(TEMPLATE);
    editing.keep()();
    expect(drafts()).toEqual([]);
  });

  it("goes on with the draft of this tab, until it is discarded", () => {
    keepDraft("p", "{changed}");
    const editing = new Editing("p", { kind: "text", text: "{}" });
    expect([editing.text.value, editing.restored.value, editing.isDirty.value]).toEqual([
      "{changed}",
      true,
      true,
    ]);
    editing.discard();
    expect([editing.text.value, readDraft("p")]).toEqual(["{}", undefined]);
  });

  it("keeps a draft once the typing rests, and drops it when nothing is changed any more", () => {
    vi.useFakeTimers();
    const editing = new Editing("p", { kind: "text", text: "{}" });
    const stop = editing.keep();
    editing.text.value = "{1}";
    vi.runAllTimers();
    expect(readDraft("p")).toBe("{1}");
    expect(drafts()).toEqual(["p"]);
    editing.text.value = "{}";
    stop();
    expect(readDraft("p")).toBeUndefined();
    vi.useRealTimers();
  });

  it("says when the browser has no room for the draft", () => {
    const editing = new Editing("p", { kind: "text", text: "{}" });
    const full = () => {
      throw new DOMException("full", "QuotaExceededError");
    };
    vi.stubGlobal("sessionStorage", { setItem: full, removeItem: () => {} });
    editing.text.value = "{1}";
    editing.keep()();
    vi.unstubAllGlobals();
    expect(editing.isHomeless.value).toBe(true);
  });
});
