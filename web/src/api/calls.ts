// Every path of the door that the page uses, with the types of the protos. docs/reference has what each does.
import type {
  BudgetStateJson,
  CandidateInfoJson,
  EventJson,
  ExecutionJson,
  ExecutionSettingsJson,
  GivenInputJson,
  TaskStateJson,
} from "../gen/signoff/v1/execution_pb";
import type {
  BudgetJson,
  LayoutPartJson,
  MapGroupJson,
  MapHeaderJson,
  MapTaskJson,
  TaskSpecJson,
} from "../gen/signoff/v1/plan_pb";
import type { ListPlansResponseJson } from "../gen/signoff/v1/planner_pb";
import type {
  FileEntryJson,
  GetExecutionResponseJson,
  ListExecutionsResponseJson,
  ListWorkersResponseJson,
  PreviewExecutionResponseJson,
  StartExecutionResponseJson,
} from "../gen/signoff/v1/runner_pb";
import { addressOf, getJson, getText, type Options, type Query, send } from "./client";
import type { PlacedDiagnostic } from "./problem";

export type MapJson = { header?: MapHeaderJson; groups?: MapGroupJson[]; tasks?: MapTaskJson[] };
export type LayoutJson = LayoutPartJson & { header?: MapHeaderJson };
export type ToldEvent = EventJson & { sentence?: string };
export type Diagnosed = { header?: MapHeaderJson; diagnostics?: PlacedDiagnostic[] };
export type Changed = { execution?: ExecutionJson; warnings?: string[] };
export type WhyTask = { taskId?: string; sentence?: string; [further: string]: unknown };
export type Why = { sentence?: string; tasks?: WhyTask[] };
export type AttemptJson = { attempt?: number; events?: ToldEvent[]; candidate?: CandidateInfoJson };
export type DifferenceLine = {
  kind: "same" | "added" | "removed" | "gap";
  text?: string;
  beforeLine?: number;
  afterLine?: number;
};
export type Difference = { before?: number; after?: number; lines?: DifferenceLine[]; truncated?: boolean };
/** The files of a result: its main file opens first. */
export type FilesJson = { main?: string; files?: FileEntryJson[] };
export type PromptSummary = { phase?: string; digest?: string; sizeBytes?: string | number; at?: string };
export type ThinkingTail = { attempt?: number; phase?: string; text?: string; dropped?: boolean };
export type Session = { required?: boolean; signedIn?: boolean; readOnly?: boolean };
export type Health = { runner?: string; planner?: string };
export type { BudgetStateJson };

const task = (execution: string, id: string, ...more: string[]) => [
  "executions",
  execution,
  "tasks",
  id,
  ...more,
];
const attempt = (execution: string, id: string, n: number, ...more: string[]) =>
  task(execution, id, "attempts", String(n), ...more);

export const plans = {
  list: (query: { pageSize?: number; pageToken?: string } = {}, o: Options = {}) =>
    getJson<ListPlansResponseJson>(["plans"], { ...o, query }),
  check: (text: string, o: Options = {}) => send<Diagnosed>("POST", ["plans", "check"], text, o),
  compile: (text: string, id?: string, o: Options = {}) =>
    id ? send<Diagnosed>("PUT", ["plans", id], text, o) : send<Diagnosed>("POST", ["plans"], text, o),
  text: (id: string, o: Options = {}) => getText(["plans", id], o),
  diagnostics: (id: string, o: Options = {}) => getJson<Diagnosed>(["plans", id, "diagnostics"], o),
  map: (id: string, o: Options = {}) => getJson<MapJson>(["plans", id, "map"], o),
  layout: (id: string, o: Options = {}) => getJson<LayoutJson>(["plans", id, "layout"], o),
  executionJson: (id: string) => addressOf(["plans", id, "execution.json"]),
};

export type ExecutionFilter = {
  planId?: string;
  state?: readonly string[];
  createdAfter?: string;
  createdBefore?: string;
  awaiting?: "person";
  text?: string;
  pageSize?: number;
  pageToken?: string;
};

export const executions = {
  list: (filter: ExecutionFilter = {}, o: Options = {}) =>
    getJson<ListExecutionsResponseJson>(["executions"], { ...o, query: filter as Query }),
  start: (
    planId: string,
    settings: ExecutionSettingsJson = {},
    inputs: readonly GivenInputJson[] = [],
    o: Options = {},
  ) => send<StartExecutionResponseJson>("POST", ["executions"], { planId, settings, inputs }, o),
  preview: (
    planId: string,
    settings: ExecutionSettingsJson = {},
    inputs: readonly GivenInputJson[] = [],
    maxTasks = 20,
    o: Options = {},
  ) =>
    send<PreviewExecutionResponseJson>(
      "POST",
      ["executions", "preview"],
      { planId, settings, inputs, maxTasks },
      o,
    ),
  get: (id: string, o: Options = {}) =>
    getJson<GetExecutionResponseJson>(["executions", id], { ...o, query: { tasks: "none" } }),
  map: (id: string, o: Options = {}) => getJson<MapJson>(["executions", id, "map"], o),
  layout: (id: string, o: Options = {}) => getJson<LayoutJson>(["executions", id, "layout"], o),
  pause: (id: string, reason = "", o: Options = {}) =>
    send<Changed>("POST", ["executions", id, "pause"], { reason }, o),
  resume: (id: string, o: Options = {}) => send<Changed>("POST", ["executions", id, "resume"], {}, o),
  stop: (id: string, reason = "", o: Options = {}) =>
    send<Changed>("POST", ["executions", id, "stop"], { reason }, o),
  budget: (id: string, budget: BudgetJson, taskId = "", o: Options = {}) =>
    send<Changed>("PUT", ["executions", id, "budget"], { taskId, budget }, o),
  cost: <T>(id: string, o: Options = {}) => getJson<T>(["executions", id, "cost"], o),
  story: (id: string, query: { taskId?: string; after?: string; pageSize?: number } = {}, o: Options = {}) =>
    getJson<{ events?: ToldEvent[]; nextAfter?: string }>(["executions", id, "story"], { ...o, query }),
  why: (id: string, taskId?: string, o: Options = {}) =>
    getJson<Why>(["executions", id, "why"], { ...o, query: { taskId } }),
  results: (id: string) => addressOf(["executions", id, "results.zip"]),
};

/** A file of an input, as the door has stored it. */
export type StoredFile = { digest?: string; sizeBytes?: string; mediaType?: string };

export const contents = {
  upload: (file: Blob, path: string, o: Options = {}) =>
    send<StoredFile>("POST", ["contents"], file, { ...o, query: { path } }),
};

export type Judged = { person?: string; digest: string; attempt: number };

export const tasks = {
  get: (execution: string, id: string, o: Options = {}) =>
    getJson<{ task?: TaskStateJson; spec?: TaskSpecJson }>(task(execution, id), o),
  retry: (execution: string, id: string, o: Options = {}) =>
    send<Changed>("POST", task(execution, id, "retry"), {}, o),
  approve: (execution: string, id: string, judged: Judged, o: Options = {}) =>
    send<Changed>("POST", task(execution, id, "approve"), judged, o),
  reject: (execution: string, id: string, judged: Judged & { reason: string }, o: Options = {}) =>
    send<Changed>("POST", task(execution, id, "reject"), judged, o),
  artifact: (execution: string, id: string, download = false) =>
    addressOf(task(execution, id, "artifact"), download ? { download: 1 } : {}),
  attempts: (execution: string, id: string, o: Options = {}) =>
    getJson<{ attempts?: AttemptJson[] }>(task(execution, id, "attempts"), o),
  attempt: (execution: string, id: string, n: number, o: Options = {}) =>
    getJson<CandidateInfoJson>(attempt(execution, id, n), o),
  candidate: (execution: string, id: string, n: number, download = false) =>
    addressOf(attempt(execution, id, n, "candidate"), download ? { download: 1 } : {}),
  artifactZip: (execution: string, id: string) => addressOf(task(execution, id, "artifact", "files.zip")),
  candidateFiles: (execution: string, id: string, n: number, o: Options = {}) =>
    getJson<FilesJson>(attempt(execution, id, n, "candidate", "files"), o),
  candidateFile: (execution: string, id: string, n: number, path: string, download = false) =>
    addressOf(
      attempt(execution, id, n, "candidate", "files", ...path.split("/")),
      download ? { download: 1 } : {},
    ),
  candidateZip: (execution: string, id: string, n: number) =>
    addressOf(attempt(execution, id, n, "candidate", "files.zip")),
  difference: (execution: string, id: string, n: number, to?: number, o: Options = {}) =>
    getJson<Difference>(attempt(execution, id, n, "difference"), { ...o, query: { to } }),
  prompts: (execution: string, id: string, n: number, o: Options = {}) =>
    getJson<{ prompts?: PromptSummary[] }>(attempt(execution, id, n, "prompts"), o),
  prompt: (execution: string, id: string, n: number, digest: string, o: Options = {}) =>
    getText(attempt(execution, id, n, "prompts", digest), o),
  thinking: (execution: string, id: string, o: Options = {}) =>
    getJson<ThinkingTail>(task(execution, id, "thinking"), o),
};

export const service = {
  workers: (o: Options = {}) => getJson<ListWorkersResponseJson>(["workers"], o),
  health: (o: Options = {}) => getJson<Health>(["health"], o),
  version: (o: Options = {}) => getJson<{ version?: string }>(["version"], o),
  session: (o: Options = {}) => getJson<Session>(["session"], o),
  signIn: (token: string, o: Options = {}) => send<Session>("POST", ["session"], { token }, o),
};
