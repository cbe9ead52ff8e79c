import { describe, expect, it } from "vitest";
import type { EventJson } from "../../../src/gen/signoff/v1/execution_pb";
import { Lanes } from "../../../src/pages/run/model/lanes";
import recorded from "../../fixtures/journal.json";

const events = recorded.events as unknown as EventJson[];

function lanes(of: readonly EventJson[]): Lanes {
  const made = new Lanes();
  for (const event of of) made.take(event);
  return made;
}

describe("the time line of a recorded journal", () => {
  const { spans, first, last } = lanes(events);

  it("has a span for each lease", () => {
    const assigned = events.filter((event) => event.taskAssigned).length;
    const asked = events.filter((event) => event.personAsked).length;
    expect([...spans.values()].flat()).toHaveLength(assigned + asked);
  });

  it("has no span open at the end, and none before its task's last one has ended", () => {
    for (const row of spans.values()) {
      for (const [n, span] of row.entries()) {
        expect(span.end).toBeGreaterThanOrEqual(span.start);
        expect(span.ending).not.toBe("open");
        if (n > 0) expect(span.start).toBeGreaterThanOrEqual(row[n - 1]!.end);
      }
    }
  });

  it("lies within the time of the run", () => {
    for (const span of [...spans.values()].flat()) {
      expect(span.start).toBeGreaterThanOrEqual(first);
      expect(span.end).toBeLessThanOrEqual(last);
    }
  });

  it("knows what became of each attempt", () => {
    const endings = [...spans.values()].flat().map(({ ending }) => ending);
    expect(endings.filter((one) => one === "rejected")).toHaveLength(
      events.filter((event) => event.verdictFailed).length,
    );
    expect(endings.filter((one) => one === "failed")).toHaveLength(
      events.filter((event) => event.attemptFailed).length,
    );
  });

  it("takes each event once", () => {
    expect(lanes([...events, ...events]).spans).toEqual(spans);
  });
});
