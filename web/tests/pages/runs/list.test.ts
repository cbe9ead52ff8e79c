import { describe, expect, it } from "vitest";
import { Problem } from "../../../src/api";
import type { ExecutionJson } from "../../../src/gen/signoff/v1/execution_pb";
import { merged, RunList } from "../../../src/pages/runs/list";

const run = (executionId: string, createdAt: string, more: ExecutionJson = {}): ExecutionJson => ({
  executionId,
  createdAt,
  state: "EXECUTION_STATE_RUNNING",
  ...more,
});
type Page = { executions?: ExecutionJson[]; nextPageToken?: string };

/** A door with these pages by token, and these executions by id. */
function door(pages: Record<string, Page>, single: Record<string, ExecutionJson> = {}) {
  const asked: string[] = [];
  return {
    asked,
    list: async ({ pageToken = "" }: { pageToken?: string } = {}) => {
      asked.push(`list ${pageToken}`);
      return pages[pageToken] ?? {};
    },
    get: async (id: string) => {
      asked.push(`get ${id}`);
      if (!single[id]) throw new Problem(404, { detail: `expected an execution, but there is no ${id}` });
      return { execution: single[id] };
    },
  };
}

const ids = (list: RunList) => list.rows.value.map(({ executionId }) => executionId);

describe("the list of runs", () => {
  const pages = {
    "": {
      executions: [run("c", "3"), run("b", "2", { state: "EXECUTION_STATE_SUCCEEDED" })],
      nextPageToken: "x",
    },
    x: { nextPageToken: "y" },
    y: { executions: [run("b", "2"), run("a", "1")] },
  };

  it("loads page by page, asks on behind an empty one, and has each run once", async () => {
    const asking = door(pages);
    const list = new RunList(asking);
    await list.ask({});
    expect(ids(list)).toEqual(["c", "b"]);
    await list.more();
    expect(ids(list)).toEqual(["c", "b", "a"]);
    await list.more();
    expect(asking.asked).toEqual(["list ", "list x", "list y"]);
  });

  it("asks again for live runs in view alone, and drops those that are gone", async () => {
    const asking = door(pages, { c: run("c", "3", { state: "EXECUTION_STATE_FAILED" }) });
    const list = new RunList(asking);
    await list.ask({});
    await list.more();
    asking.asked.length = 0;
    await list.refresh(new Set(["c", "b"]), false);
    expect(asking.asked).toEqual(["get c"]);
    expect(list.rows.value[0]?.state).toBe("EXECUTION_STATE_FAILED");
    await list.refresh(new Set(["a"]), false);
    expect(ids(list)).toEqual(["c", "b"]);
  });

  it("keeps its rows when the door is away, and tells why", async () => {
    const asking = door(pages);
    const list = new RunList(asking);
    await list.ask({});
    asking.list = async () => {
      throw new Problem(503, { detail: "the runner is away" });
    };
    await list.refresh(new Set(), true);
    expect(ids(list)).toEqual(["c", "b"]);
    expect((list.error.value as Problem).message).toBe("the runner is away");
  });

  it("puts new runs above, and only those", () => {
    const rows = [run("c", "3"), run("b", "2")];
    const fresh = [run("d", "4"), run("c", "3", { idea: "new" }), run("0", "0")];
    expect(merged(rows, new Map(), fresh).map(({ executionId, idea }) => [executionId, idea])).toEqual([
      ["d", undefined],
      ["c", "new"],
      ["b", undefined],
    ]);
  });
});
