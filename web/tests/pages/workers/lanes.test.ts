import { describe, expect, it } from "vitest";
import type { EventJson } from "../../../src/gen/signoff/v1/execution_pb";
import { tickOf } from "../../../src/pages/workers/drawing";
import { arranged, busyShare, Lanes, waitedFor, waitedSince } from "../../../src/pages/workers/lanes";
import recorded from "../../fixtures/journal.json";

const events = recorded.events as unknown as EventJson[];
const at = (second: number) => `2026-11-29T12:00:${String(second).padStart(2, "0")}Z`;
const assigned = (sequence: number, second: number, task: string, leaseId: string, more = {}): EventJson => ({
  sequence: String(sequence),
  at: at(second),
  taskId: task,
  taskAssigned: { leaseId, attempt: 1, phase: "PHASE_EXECUTE", worker: "w", ...more },
});

function taken(list: readonly EventJson[], execution = "x", lanes = new Lanes()): Lanes {
  for (const event of list) expect(lanes.take(execution, event)).toBe(true);
  return lanes;
}

describe("the lanes of workers", () => {
  it("have every assignment of a recorded journal, each with its end", () => {
    const lanes = taken(events);
    expect(lanes.count).toBe(events.filter((event) => event.taskAssigned).length);
    const works = [...lanes.byWorker.values()].flatMap((lane) => lane.works);
    expect(works.filter(({ ending }) => ending === "open")).toEqual([]);
    for (const { start, end } of works) expect(end).toBeGreaterThanOrEqual(start);
    expect(new Set(works.map(({ ending }) => ending)).size).toBeGreaterThan(3);
  });

  it("have no two at the same time in one row", () => {
    for (const lane of taken(events).byWorker.values()) {
      arranged(lane);
      for (let row = 0; row < lane.rows; row += 1) {
        const inRow = lane.works.filter((work) => work.row === row);
        expect(inRow.length).toBeGreaterThan(0);
        for (let n = 1; n < inRow.length; n += 1)
          expect(inRow[n]!.start).toBeGreaterThanOrEqual(inRow[n - 1]!.end || Number.POSITIVE_INFINITY);
      }
    }
  });

  it("are arranged by time, whichever execution was read first", () => {
    const lanes = taken([
      assigned(1, 10, "a", "L1"),
      { sequence: "2", at: at(20), taskId: "a", candidateStored: { leaseId: "L1" } },
    ]);
    taken(
      [
        assigned(1, 1, "b", "M1"),
        { sequence: "2", at: at(15), taskId: "b", attemptFailed: { leaseId: "M1" } },
      ],
      "y",
      lanes,
    );
    const lane = arranged(lanes.byWorker.get("w")!);
    expect(lane.works.map(({ task, row, ending }) => [task, row, ending])).toEqual([
      ["b", 0, "failed"],
      ["a", 1, "made"],
    ]);
    expect(lane.rows).toBe(2);
    expect(busyShare(lane, Date.parse(at(0)), Date.parse(at(20)))).toBeCloseTo(24 / 40);
  });

  it("know how long a task had waited for a worker, from when it could be given to one", () => {
    const lanes = taken([
      assigned(1, 0, "a", "L1"),
      { sequence: "2", at: at(5), taskId: "a", candidateStored: { leaseId: "L1" } },
      assigned(3, 9, "a", "L2", { phase: "PHASE_VALIDATE" }),
      { sequence: "4", at: at(10), taskId: "a", verdictFailed: { leaseId: "L2" } },
      { sequence: "5", at: at(10), taskId: "a", retryScheduled: { retryAt: at(12) } },
      assigned(6, 13, "a", "L3", { attempt: 2 }),
    ]);
    const works = lanes.byWorker.get("w")!.works;
    expect(works.map(waitedFor)).toEqual([undefined, 4000, 1000]);
    expect(works.map(({ waits }) => waits?.map(({ what }) => what))).toEqual([
      undefined,
      ["validator"],
      ["retry", "executor"],
    ]);
    expect(works.map(waitedSince)).toEqual([0, 5, 10].map((second) => Date.parse(at(second))));
  });

  it("know the first wait of a task as well when they know what needs what", () => {
    const lanes = new Lanes();
    lanes.begin("x", 0, { nodes: [{ taskId: "a", atomic: true }] });
    taken([{ sequence: "1", at: at(0), executionStarted: {} }, assigned(2, 3, "a", "L1")], "x", lanes);
    expect(waitedFor(lanes.byWorker.get("w")!.works[0]!)).toBe(3000);
  });

  it("take an event once, and say when one is missing", () => {
    const lanes = taken([assigned(1, 0, "a", "L1"), assigned(1, 0, "a", "L1")]);
    expect(lanes.count).toBe(1);
    expect(lanes.take("x", assigned(3, 1, "b", "L2"))).toBe(false);
    expect(lanes.sequence("x")).toBe(1);
  });

  it("have ticks at round times, and not too many", () => {
    expect(tickOf(0.1)).toBe(1000);
    expect(tickOf(90 / 60_000)).toBe(60_000);
    expect(tickOf(1e-9)).toBe(86_400_000);
  });
});
