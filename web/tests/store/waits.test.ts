import { describe, expect, it } from "vitest";
import type { EventJson } from "../../src/gen/signoff/v1/execution_pb";
import { type Wait, Waits } from "../../src/store";
import recorded from "../fixtures/journal.json";
import { LAYOUT } from "../pages/run/layout";

const moment = (second: number) => new Date(second * 1000).toISOString();

/** A run of the small map: events by their second; `waits` has what is over, as "task what from-to why". */
class Run {
  readonly waits: string[] = [];
  private readonly fold = new Waits(LAYOUT, (task, wait) => this.waits.push(`${task} ${told(wait)}`));

  at(second: number, event: EventJson, taskId = ""): this {
    this.fold.take({ ...event, at: moment(second), taskId });
    return this;
  }

  assigned(second: number, task: string, phase: "PHASE_EXECUTE" | "PHASE_VALIDATE" = "PHASE_EXECUTE"): this {
    return this.at(second, { taskAssigned: { phase } }, task);
  }

  passes(second: number, ...tasks: string[]): this {
    for (const task of tasks) this.at(second, { verdictPassed: {} }, task);
    return this;
  }

  now(task: string, second: number): string[] {
    return this.fold.open(task, second * 1000).map(told);
  }

  of(task: string): string[] {
    return this.waits.filter((one) => one.startsWith(`${task} `)).map((one) => one.slice(task.length + 1));
  }
}

function told({ what, start, end, why }: Wait): string {
  return `${what} ${start / 1000}-${end ? end / 1000 : ""}${why && ` ${why}`}`;
}

const begun = () => new Run().at(0, { executionCreated: {} }).at(1, { executionStarted: {} });

describe("a task waits for an executor", () => {
  it("from the start, when it needs nothing", () => {
    const run = begun().assigned(3, "1_1");
    expect(run.of("1_1")).toEqual(["executor 1-3"]);
    expect(run.now("5", 4)).toEqual(["executor 1-"]);
  });

  it("from the sign-off of the last of what it needs, and not before", () => {
    const run = begun().passes(2, "1_1", "1_2");
    expect(run.now("2", 4)).toEqual([]);
    run.passes(5, "1_3").assigned(9, "2");
    expect(run.of("2")).toEqual(["executor 5-9"]);
    run.passes(10, "2").passes(11, "3").assigned(12, "4");
    expect(run.of("4")).toEqual(["executor 11-12"]);
  });

  it("no more when what it needs is taken back", () => {
    const run = begun().passes(2, "1_1", "1_2", "1_3").at(4, { taskRetried: {} }, "1_2");
    expect(run.of("2")).toEqual(["executor 2-4"]);
    expect(run.now("2", 5)).toEqual([]);
    expect(run.now("1_2", 5)).toEqual(["executor 4-"]);
    run.at(6, { artifactKept: {} }, "1_2");
    expect(run.now("2", 7)).toEqual(["executor 6-"]);
  });

  it("not before its retry time, for the reason of its last failure", () => {
    const run = begun()
      .assigned(1, "5")
      .at(2, { attemptFailed: { message: "too short" } }, "5");
    run.at(2, { retryScheduled: { retryAt: moment(6) } }, "5");
    expect(run.now("5", 4)).toEqual(["retry 2- too short"]);
    expect(run.now("5", 8)).toEqual(["retry 2-6 too short", "executor 6-"]);
    expect(run.assigned(9, "5").of("5")).toEqual(["retry 2-6 too short", "executor 6-9"]);
  });

  it("not at all when no event tells what it needs", () => {
    const waits: Wait[] = [];
    const fold = new Waits(undefined, (_, wait) => waits.push(wait));
    fold.take({ at: moment(1), executionStarted: {} });
    fold.take({ at: moment(3), taskId: "a", taskAssigned: { phase: "PHASE_EXECUTE" } });
    expect(waits).toEqual([]);
  });
});

describe("a task waits for a validator", () => {
  it("from its candidate on, and again after a canary, a lost lease or a broken judge", () => {
    const run = begun()
      .assigned(1, "5")
      .at(2, { candidateStored: {} }, "5")
      .assigned(4, "5", "PHASE_VALIDATE");
    run.at(5, { canaryJudged: {} }, "5").assigned(6, "5", "PHASE_VALIDATE");
    run.at(7, { leaseLost: { phase: "PHASE_VALIDATE", reason: "gone" } }, "5");
    run
      .assigned(8, "5", "PHASE_VALIDATE")
      .at(9, { judgeFailed: { message: "mumbled", retryAt: moment(10) } }, "5");
    run.assigned(12, "5", "PHASE_VALIDATE");
    expect(run.of("5")).toEqual([
      "validator 2-4",
      "validator 5-6",
      "validator 7-8 gone",
      "retry 9-10 mumbled",
      "validator 10-12",
    ]);
  });

  it("no more when a person has it", () => {
    const run = begun()
      .assigned(1, "5")
      .at(2, { candidateStored: {} }, "5")
      .assigned(2, "5", "PHASE_VALIDATE");
    expect(run.at(3, { personAsked: {} }, "5").now("5", 9)).toEqual([]);
  });

  it("until a resume, once the judge broke too often", () => {
    const run = new Run().at(0, { executionCreated: { settings: { maxJudgeErrors: 1 } } });
    run.at(1, { executionStarted: {} }).assigned(1, "5").at(2, { candidateStored: {} }, "5");
    run.assigned(2, "5", "PHASE_VALIDATE").at(3, { judgeFailed: { message: "mumbled" } }, "5");
    expect(run.now("5", 4)).toEqual(["judge 3- mumbled"]);
    run.at(5, { executionResumed: {} });
    expect(run.of("5")).toEqual(["judge 3-5 mumbled"]);
    expect(run.now("5", 6)).toEqual(["validator 5-"]);
  });
});

describe("what holds a task back", () => {
  it("is a pause, with its reason, for as long as it lasts", () => {
    const run = begun().at(3, { executionPaused: { reason: "lunch" } });
    expect(run.now("5", 4)).toEqual(["resume 3- lunch"]);
    run.at(8, { executionResumed: {} }).assigned(9, "5");
    expect(run.of("5")).toEqual(["executor 1-3", "resume 3-8 lunch", "executor 8-9"]);
  });

  it("is a model that is away, until that one has answered", () => {
    const outage = { model: "m", endpoint: "e", message: "503" };
    const run = begun()
      .assigned(1, "5")
      .at(2, { outageMet: { phase: "PHASE_EXECUTE", outage } }, "5");
    run.at(3, { outageEnded: { model: "another", endpoint: "e" } });
    expect(run.now("5", 4)).toEqual(["model 2- 503"]);
    run.at(5, { outageEnded: { model: "m", endpoint: "e" } }).assigned(6, "5");
    expect(run.of("5").slice(0, 2)).toEqual(["model 2-5 503", "executor 5-6"]);
  });

  it("is nothing more once the run has ended", () => {
    const run = begun().at(4, { executionFailed: {} });
    expect(run.of("5")).toEqual(["executor 1-4"]);
    expect(run.now("5", 9)).toEqual([]);
  });
});

it("has no wait that overlaps another one of its task, and none while a worker has it, in a recorded journal", () => {
  const waits = new Map<string, Wait[]>();
  const fold = new Waits(undefined, (task, wait) => waits.set(task, [...(waits.get(task) ?? []), wait]));
  for (const event of recorded.events as unknown as EventJson[]) fold.take(event);
  expect(waits.size).toBeGreaterThan(3);
  for (const row of waits.values())
    for (const [n, { start, end }] of row.entries()) {
      expect(end).toBeGreaterThan(start);
      if (n > 0) expect(start).toBeGreaterThanOrEqual(row[n - 1]!.end);
    }
});
