// What all views of one run share: the selection, the filter, the view, and the way to a task's drawer.
import { computed, signal } from "@preact/signals";
import { navigate, query, setQuery } from "../../router";
import { AWAITS_PERSON, type ExecutionStore, isFailed, STATUSES, type Status } from "../../store";
import { EVERYTHING, type Filter, matcher, ordered } from "./model/filter";
import type { RunModel } from "./model/model";

export type View = "graph" | "grid" | "tree" | "timeline" | "table";
export const VIEWS: readonly View[] = ["graph", "grid", "tree", "timeline", "table"];
const MANY = 150; // tasks from which on equal ones are drawn as one, unless a person says otherwise

export class RunState {
  /** The selected task or group; empty for none. */
  readonly selected = signal("");
  readonly hovered = signal("");
  readonly filter = signal<Filter>(filterOf(query.peek()));
  readonly view = signal<View>(viewOf(query.peek()));
  readonly showsClasses = signal(false);

  constructor(
    readonly store: ExecutionStore,
    readonly model: RunModel,
  ) {
    const hasClasses = model.classes.nodes.length < model.graph.nodes.length;
    this.showsClasses.value = hasClasses && model.ids.length > MANY;
  }

  get execution(): string {
    return this.store.id;
  }

  /** The tasks that the filter leaves, in its order; anew each frame in which something changed. */
  readonly shown = computed(() => {
    this.store.version.value;
    return ordered(this.filter.value, this.model, this.store.fold);
  });

  readonly matches = computed(() => {
    this.store.version.value;
    return matcher(this.filter.value, this.model, this.store.fold);
  });

  choose(view: View): void {
    this.view.value = view;
    setQuery({ view: view === "graph" ? undefined : view });
  }

  narrow(change: Partial<Filter>): void {
    const filter = { ...this.filter.value, ...change };
    this.filter.value = filter;
    setQuery({
      q: filter.text || undefined,
      status: filter.status ? String(filter.status) : undefined,
      awaiting: filter.awaiting ? "person" : undefined,
      first: filter.failedFirst ? "failed" : undefined,
    });
  }

  /** Selects the next task that failed or waits for a person, after the selected one. */
  seekTrouble(): boolean {
    const { fold } = this.store;
    const from = this.model.number.get(this.selected.value) ?? -1;
    const isTrouble = (n: number) => isFailed(fold.statusAt(n)) || fold.has(n, AWAITS_PERSON);
    const all = fold.ids.map((_, n) => (n + from + 1) % fold.ids.length);
    const next = all.find(isTrouble);
    if (next !== undefined) this.selected.value = fold.ids[next]!;
    return next !== undefined;
  }

  /** Shows a task's drawer, at an address of its own. */
  open(task: string): void {
    if (this.model.number.has(task))
      navigate({ page: "run", execution: this.execution, task }, { query: query.peek() });
  }

  close(): void {
    navigate({ page: "run", execution: this.execution }, { query: query.peek() });
  }
}

function viewOf(values: URLSearchParams): View {
  return VIEWS.find((view) => view === values.get("view")) ?? "graph";
}

function filterOf(values: URLSearchParams): Filter {
  const status = Number(values.get("status")) as Status;
  return {
    ...EVERYTHING,
    text: values.get("q") ?? "",
    status: STATUSES.includes(status) ? status : 0,
    awaiting: values.get("awaiting") === "person",
    failedFirst: values.get("first") === "failed",
  };
}
