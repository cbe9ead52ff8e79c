// @vitest-environment happy-dom
import { render } from "preact";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { modelOf } from "../../../src/pages/run/model/model";
import { SidePanel } from "../../../src/pages/run/SidePanel";
import { Summary } from "../../../src/pages/run/Summary";
import { RunState } from "../../../src/pages/run/state";
import { ExecutionStore } from "../../../src/store/store";
import { IDS, LAYOUT } from "./layout";

const page = document.createElement("div");
document.body.append(page);
beforeEach(() => {
  vi.stubGlobal("fetch", () => new Promise(() => {})); // the door says nothing: what is shown comes from the store alone
});
afterEach(() => {
  render(null, page);
  vi.unstubAllGlobals();
});

function begun(): RunState {
  const store = new ExecutionStore("a");
  store.begin({
    execution: { executionId: "a", planId: "report", state: "EXECUTION_STATE_RUNNING", sequence: "0" },
    tasks: IDS.map((taskId) => ({ taskId })),
  });
  return new RunState(store, modelOf(LAYOUT, IDS));
}

/** The text below the page that a selector leads to. */
const text = (selector: string) => page.querySelector(selector)?.textContent ?? "";

it("shows each event in the summary and beside the views, without being drawn from above", async () => {
  const state = begun();
  state.selected.value = "2";
  render(
    <>
      <Summary state={state} />
      <SidePanel state={state} />
    </>,
    page,
  );
  await vi.waitFor(() => expect(text(".facts")).toContain("0 of 7 signed off"));
  state.store.take([
    {
      sequence: "1",
      at: "2026-01-01T00:00:00Z",
      taskId: "2",
      taskAssigned: { attempt: 3, phase: "PHASE_EXECUTE", worker: "worker-9" },
    },
  ]);
  await vi.waitFor(() => expect(text(".side-facts")).toContain("worker-9"));
  expect(text(".counts")).toContain("doing");
  state.store.take([{ sequence: "2", taskId: "2", candidateStored: { attempt: 3 } }]);
  state.store.take([{ sequence: "3", taskId: "2", verdictPassed: { attempt: 3 } }]);
  state.store.take([{ sequence: "4", executionPaused: { reason: "lunch" } }]);
  await vi.waitFor(() => expect(text(".facts")).toContain("1 of 7 signed off"));
  expect(text(".controls")).toContain("Resume");
  expect(text(".notice")).toContain("lunch");
});
