import { describe, expect, it } from "vitest";
import type { EventJson, ExecutionJson, TaskStateJson } from "../../src/gen/signoff/v1/execution_pb";
import { AWAITS_PERSON, ExecutionFold } from "../../src/store/fold";
import { statusOf } from "../../src/store/status";
import { TRANSITIONS } from "../../src/store/transitions";
import recorded from "../fixtures/journal.json";

const journal = recorded as unknown as {
  transitions: Record<string, Record<string, number>>;
  events: EventJson[];
  execution: ExecutionJson;
  tasks: TaskStateJson[];
};

/** Returns a fold that begins before the first event, as a watcher from the beginning has it. */
function beginning(): ExecutionFold {
  const fold = new ExecutionFold();
  const tasks = journal.tasks.map(({ taskId, stage }) => ({ taskId: taskId!, stage: stage! }));
  fold.begin({ execution: { executionId: journal.execution.executionId! }, tasks });
  return fold;
}

function folded(events = journal.events, fold = beginning()): ExecutionFold {
  for (const event of events) fold.take(event);
  return fold;
}

const told = (task: TaskStateJson) => ({
  taskId: task.taskId,
  status: task.status,
  attempt: task.attempt ?? 0,
  failures: task.failures ?? 0,
  losses: task.losses ?? 0,
  worker: task.worker ?? "",
  lastFailure: task.lastFailure ?? "",
  changedAt: Date.parse(task.changedAt ?? ""),
});

describe("the fold of a recorded journal", () => {
  it("goes by the table of the runner's core", () => {
    expect(TRANSITIONS).toEqual(journal.transitions);
  });

  it("ends where the runner says that the tasks are", () => {
    const fold = folded();
    expect(fold.ids.map((_, n) => told(fold.task(n)))).toEqual(journal.tasks.map(told));
  });

  it("counts the statuses, and ends in the state of the execution", () => {
    const fold = folded();
    const counts = journal.execution.counts ?? {};
    expect([...fold.counts]).toEqual([
      0,
      counts.undone ?? 0,
      counts.doing ?? 0,
      counts.validating ?? 0,
      counts.done ?? 0,
      counts.executionFailed ?? 0,
      counts.validationFailed ?? 0,
    ]);
    expect(fold.state).toBe(journal.execution.state);
    expect(fold.sequence).toBe(Number(journal.execution.sequence));
  });

  it("adds up the same costs as the runner", () => {
    const fold = folded();
    const sums = (of: Iterable<{ inputTokens?: string; outputTokens?: string; costNanos?: string }>) =>
      [...of].reduce<number[]>(
        ([input, output, cost], one) => [
          input! + Number(one.inputTokens ?? 0),
          output! + Number(one.outputTokens ?? 0),
          cost! + Number(one.costNanos ?? 0),
        ],
        [0, 0, 0],
      );
    expect(sums(fold.usage.values())).toEqual(sums(journal.execution.usage ?? []));
  });

  it("is the same from a snapshot at any event", () => {
    const whole = folded();
    for (let at = 0; at <= journal.events.length; at += 1) {
      const early = folded(journal.events.slice(0, at));
      const late = new ExecutionFold();
      late.begin(structuredClone(early.snapshot()));
      folded(journal.events.slice(at), late);
      expect(late.snapshot()).toEqual(whole.snapshot());
    }
  });

  it("takes an event once, however often it comes", () => {
    const twice = folded(journal.events.flatMap((event) => [event, event]));
    expect(twice.snapshot()).toEqual(folded().snapshot());
  });

  it("knows who waits for a person, all along", () => {
    const fold = beginning();
    for (const event of journal.events) {
      fold.take(event);
      const n = fold.number.get(event.taskId ?? "");
      if (event.personAsked) expect(fold.has(n!, AWAITS_PERSON)).toBe(true);
      if (event.verdictPassed || event.verdictFailed) expect(fold.has(n!, AWAITS_PERSON)).toBe(false);
    }
    expect(journal.events.some((event) => event.personAsked)).toBe(true);
    expect(fold.awaiting).toBe(journal.execution.awaitingPerson ?? 0);
  });

  it("saw what makes a journal hard: failures, rejections, rollbacks, broken judges", () => {
    const kinds = new Set(journal.events.flatMap((event) => Object.keys(event)));
    for (const kind of [
      "attemptFailed",
      "verdictFailed",
      "judgeFailed",
      "taskRolledBack",
      "retryScheduled",
      "taskRetried",
    ]) {
      expect(kinds).toContain(kind);
    }
  });

  it("leaves a task as it is for an event of another version", () => {
    const fold = beginning();
    fold.take({ sequence: "1", taskId: fold.ids[0]!, somethingNew: {} } as EventJson);
    expect(fold.statusAt(0)).toBe(statusOf("TASK_STATUS_UNDONE"));
  });

  it("knows of how many files a result is, also for who comes later", () => {
    const candidate = { attempt: 1, fileCount: 3, filesBytes: "1200" };
    const id = journal.tasks[0]!.taskId!;
    const happened = (kind: Partial<EventJson>, n: number): EventJson => ({
      sequence: `${n}`,
      taskId: id,
      ...kind,
    });
    const fold = beginning();
    fold.take(happened({ taskAssigned: { attempt: 1 } }, 1));
    fold.take(happened({ candidateStored: candidate }, 2));
    fold.take(happened({ verdictPassed: { attempt: 1 } }, 3));
    const n = fold.number.get(id)!;
    expect(fold.files.get(n)).toEqual({ count: 3, bytes: 1200 });
    const late = new ExecutionFold();
    late.begin(structuredClone(fold.snapshot()));
    expect(late.files.get(n)).toEqual({ count: 3, bytes: 1200 });
    fold.take(happened({ candidateStored: { attempt: 2 } }, 4));
    expect(fold.files.has(n)).toBe(false);
    for (const kind of ["artifactReused", "candidateReused", "orphanAdopted"] as const) {
      const other = beginning();
      other.take(happened({ [kind]: { candidate } }, 1));
      expect(other.files.get(n)?.count).toBe(3);
    }
  });
});
