// What waits for a person in all executions, gathered from the door. Nothing here needs a browser's document.
import { executions, isAborted, Problem } from "../../api";
import { getAnswer, type Options } from "../../api/client";
import type { ExecutionJson, TaskStateJson } from "../../gen/signoff/v1/execution_pb";

const PAGE = 100; // executions that are looked at, of each kind
const TASKS = 500; // tasks a page
const MOST_PAGES = 4; // of the unfinished tasks of one execution

export type Item = { readonly execution: ExecutionJson; readonly task: TaskStateJson };
export type Paused = { readonly execution: ExecutionJson; readonly byBudget: boolean };
export type Waiting = {
  readonly person: readonly Item[];
  readonly failed: readonly Item[];
  readonly paused: readonly Paused[];
  readonly quarantined: readonly ExecutionJson[];
  /** There are more executions than were looked at. */
  readonly isCut: boolean;
};

const LIVING = ["RUNNING", "PAUSED", "FAILED", "STOPPED", "QUARANTINED"] as const;

/** Asks for everything that waits for a person. */
export async function askWaiting(options: Options = {}): Promise<Waiting> {
  const page = await executions.list({ state: LIVING, pageSize: PAGE }, options);
  const all = page.executions ?? [];
  const looked = await Promise.all(all.filter(mayWait).map((one) => tasksOf(one, options)));
  const items = looked.flat();
  return {
    person: items.filter(({ task }) => task.waiting?.waitingFor === "WAITING_FOR_PERSON"),
    failed: items.filter(({ task }) => task.waiting?.waitingFor === "WAITING_FOR_RETRY_COMMAND"),
    paused: all.filter(isPaused).map((execution) => ({ execution, byBudget: isByBudget(execution, items) })),
    quarantined: all.filter(({ state }) => state === "EXECUTION_STATE_QUARANTINED"),
    isCut: Boolean(page.nextPageToken),
  };
}

/** Asks for the tasks that wait for a person's verdict alone, as the notifications do. */
export async function askAwaiting(options: Options = {}): Promise<Item[]> {
  const all = await awaitingExecutions(options);
  const items = await Promise.all(all.map((one) => tasksOf(one, options)));
  return items.flat().filter(({ task }) => task.waiting?.waitingFor === "WAITING_FOR_PERSON");
}

/** A door that cannot filter by who is waited for is asked for all that run, and their counts tell. */
async function awaitingExecutions(options: Options): Promise<ExecutionJson[]> {
  try {
    return (await executions.list({ awaiting: "person", pageSize: PAGE }, options)).executions ?? [];
  } catch (error) {
    if (!(error instanceof Problem && error.status === 400)) throw error;
  }
  const page = await executions.list({ state: ["RUNNING", "PAUSED"], pageSize: PAGE }, options);
  return (page.executions ?? []).filter(({ awaitingPerson }) => (awaitingPerson ?? 0) > 0);
}

function isPaused({ state }: ExecutionJson): boolean {
  return state === "EXECUTION_STATE_PAUSED";
}

/** Tells whether one of its tasks may wait for a person, by its counts: only then are its tasks asked for. */
export function mayWait(execution: ExecutionJson): boolean {
  const { counts = {}, awaitingPerson = 0, state } = execution;
  if (state === "EXECUTION_STATE_QUARANTINED") return false;
  return (
    awaitingPerson + (counts.executionFailed ?? 0) + (counts.validationFailed ?? 0) > 0 || isPaused(execution)
  );
}

/** A pause says why in a sentence; a task that waits for a budget says the same for programs. */
export function isByBudget(execution: ExecutionJson, items: readonly Item[]): boolean {
  const own = items.filter((item) => item.execution.executionId === execution.executionId);
  const waits = own.some(({ task }) => task.waiting?.waitingFor === "WAITING_FOR_BUDGET");
  return waits || /\bbudget/i.test(execution.reason ?? "");
}

/** Returns the tasks of an execution that wait for a person, a retry or a budget. */
async function tasksOf(execution: ExecutionJson, options: Options): Promise<Item[]> {
  const id = execution.executionId ?? "";
  const found: Item[] = [];
  let pageToken: string | undefined;
  try {
    for (let page = 0; page < MOST_PAGES; page++) {
      const told = await unfinished(id, pageToken, options);
      found.push(...(told.tasks ?? []).filter(needsPerson).map((task) => ({ execution, task })));
      pageToken = told.nextPageToken;
      if (!pageToken) break;
    }
  } catch (error) {
    if (isAborted(error) || !(error instanceof Problem)) throw error;
    if (!error.isMissing) throw error; // removed meanwhile: it waits for no person any more
  }
  return found;
}

const NEEDS = new Set(["WAITING_FOR_PERSON", "WAITING_FOR_RETRY_COMMAND", "WAITING_FOR_BUDGET"]);

function needsPerson(task: TaskStateJson): boolean {
  return NEEDS.has(task.waiting?.waitingFor ?? "");
}

type Page = { tasks?: TaskStateJson[]; nextPageToken?: string };

async function unfinished(id: string, pageToken: string | undefined, options: Options): Promise<Page> {
  const query = { tasks: "unfinished", pageSize: TASKS, pageToken };
  return (await getAnswer(["executions", id], { ...options, query })).json() as Promise<Page>;
}

/** The key of one asking: a task that is asked about again with another attempt is another one. */
export function keyOf({ execution, task }: Item): string {
  return `${execution.executionId}/${task.taskId}/${task.attempt ?? 0}`;
}
