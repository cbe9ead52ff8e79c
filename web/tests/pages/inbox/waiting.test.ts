// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { unknown } from "../../../src/pages/inbox/notify";
import { askAwaiting, askWaiting, isByBudget, mayWait } from "../../../src/pages/inbox/waiting";

const RUNNING = {
  executionId: "e1",
  state: "EXECUTION_STATE_RUNNING",
  awaitingPerson: 1,
  counts: { validating: 1, executionFailed: 1 },
} as const;
const PAUSED = {
  executionId: "e2",
  state: "EXECUTION_STATE_PAUSED",
  reason: "the budget of the execution is used up",
} as const;
const QUIET = { executionId: "e3", state: "EXECUTION_STATE_RUNNING", counts: { doing: 3 } } as const;
const TASKS = [
  {
    taskId: "1",
    attempt: 2,
    waiting: { waitingFor: "WAITING_FOR_PERSON", message: "a person is to approve it" },
  },
  {
    taskId: "2",
    attempt: 3,
    waiting: { waitingFor: "WAITING_FOR_RETRY_COMMAND", message: "it failed for good" },
  },
  { taskId: "3", waiting: { waitingFor: "WAITING_FOR_DEPENDENCIES", message: "it waits for 2" } },
];

/** Answers as a door does; `filters`: it knows who is waited for. */
function door(filters: boolean) {
  const asked: string[] = [];
  vi.stubGlobal("fetch", async (address: string) => {
    const url = new URL(address);
    asked.push(url.pathname + url.search);
    if (url.searchParams.has("awaiting") && !filters)
      return Response.json({ detail: "awaiting: no such parameter", status: 400 }, { status: 400 });
    if (url.pathname.endsWith("/executions"))
      return Response.json({
        executions: url.searchParams.has("awaiting") ? [RUNNING] : [RUNNING, PAUSED, QUIET],
      });
    return Response.json(url.pathname.endsWith("e1") ? { tasks: TASKS } : {});
  });
  return asked;
}

describe("the Inbox", () => {
  beforeEach(() => localStorage.clear());
  afterEach(() => vi.unstubAllGlobals());

  it("has what waits for a person, what failed for good and what is paused", async () => {
    const asked = door(true);
    const waiting = await askWaiting();
    expect(waiting.person.map(({ task }) => task.taskId)).toEqual(["1"]);
    expect(waiting.failed.map(({ task }) => task.taskId)).toEqual(["2"]);
    expect(waiting.paused).toEqual([{ execution: PAUSED, byBudget: true }]);
    expect(asked.some((path) => path.includes("/e3"))).toBe(false); // nothing of it can wait for a person
  });

  it.each([true, false])("finds who is asked, also at a door without the filter (%s)", async (filters) => {
    door(filters);
    expect((await askAwaiting()).map(({ task }) => task.taskId)).toEqual(["1"]);
  });

  it("tells each asking once", async () => {
    door(true);
    const items = await askAwaiting();
    expect(unknown(items)).toHaveLength(1);
    expect(unknown(items)).toHaveLength(0);
    const again = items.map((item) => ({ ...item, task: { ...item.task, attempt: 5 } }));
    expect(unknown(again)).toHaveLength(1);
  });

  it("knows by the counts what to look into", () => {
    expect(mayWait(QUIET)).toBe(false);
    expect(mayWait({ ...RUNNING, state: "EXECUTION_STATE_QUARANTINED" })).toBe(false);
    expect(isByBudget({ ...PAUSED, reason: "the judge broke" }, [])).toBe(false);
  });
});
