// The map of an execution, fetched once: what each artifact is made by, what hangs on a task, and what it has cost.
import { addressOf, executions, getAnswer, type MapJson } from "../../api";
import type { ExecutionStore } from "../../store";
import { layoutOf } from "../run/layout";
import { downstream } from "../run/model/downstream";
import { modelOf, type RunModel } from "../run/model/model";

const maps = new Map<string, Promise<MapJson>>();
const models = new Map<string, Promise<RunModel>>();
const MOST = 4; // executions that are remembered

/** Returns the map that an execution runs; it does not change while it runs. */
export function mapOf(execution: string): Promise<MapJson> {
  return remembered(maps, addressOf(["executions", execution]), () => executions.map(execution));
}

export function modelOfRun(store: ExecutionStore): Promise<RunModel> {
  const make = async () => {
    const layout = await layoutOf(store.id, store.fold, new AbortController().signal);
    return modelOf(layout, store.fold.ids);
  };
  return remembered(models, `${store.id} ${store.fold.total}`, make);
}

function remembered<T>(cache: Map<string, Promise<T>>, key: string, make: () => Promise<T>): Promise<T> {
  const known = cache.get(key);
  if (known) return known;
  const made = make();
  cache.set(key, made);
  made.catch(() => cache.delete(key));
  if (cache.size > MOST) cache.delete(cache.keys().next().value!);
  return made;
}

/** Returns the ids of all tasks that depend on a task, directly or not. */
export async function downstreamOf(store: ExecutionStore, id: string): Promise<string[]> {
  return downstream(await modelOfRun(store), id).map((entry) => entry.id);
}

export type CostRecord = {
  task_id?: string;
  input_tokens?: number;
  output_tokens?: number;
  estimated_input_tokens?: number;
  estimated_output_tokens?: number;
  cost_nanos?: number;
  estimated_cost_nanos?: number;
  currency?: string;
};

export type Spent = { readonly tokens: number; readonly nanos: number; readonly currency: string };

/** Returns what these tasks have cost together so far. */
export async function spentOn(execution: string, ids: readonly string[]): Promise<Spent> {
  const answer = await getAnswer(["executions", execution, "cost"], { query: { byTask: "1" } });
  const { records = [] } = (await answer.json()) as { records?: CostRecord[] };
  return sumOf(records, new Set(ids));
}

export function sumOf(records: readonly CostRecord[], ids: ReadonlySet<string>): Spent {
  let tokens = 0;
  let nanos = 0;
  const own = records.filter(({ task_id }) => task_id !== undefined && ids.has(task_id));
  for (const one of own) {
    tokens += (one.input_tokens ?? 0) + (one.output_tokens ?? 0);
    tokens += (one.estimated_input_tokens ?? 0) + (one.estimated_output_tokens ?? 0);
    nanos += (one.cost_nanos ?? 0) + (one.estimated_cost_nanos ?? 0);
  }
  return { tokens, nanos, currency: own[0]?.currency ?? "" };
}
