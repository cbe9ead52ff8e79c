// One run: where it stands, its tasks in five views with one selection, and a task's drawer.
import { useEffect, useMemo } from "preact/hooks";
import { type LayoutJson, useResource } from "../../api";
import { Link } from "../../router";
import type { ExecutionStore } from "../../store";
import { useExecution } from "../../stream";
import { Failed, Lazy, Loading, StateMark, Tabs, useShortcuts } from "../../ui";
import { drawer, type PageProps, type TaskDrawerProps } from "..";
import { tally } from "./canvas/tally";
import { FilterBar } from "./FilterBar";
import { layoutOf } from "./layout";
import { modelOf } from "./model/model";
import { SidePanel } from "./SidePanel";
import { Summary } from "./Summary";
import { RunState, VIEWS, type View } from "./state";
import { s } from "./strings";
import { CanvasView } from "./views/CanvasView";
import { TableView } from "./views/TableView";
import { TimelineView } from "./views/TimelineView";
import { TreeView } from "./views/TreeView";
import "./run.css";

export default function RunPage({ route }: PageProps<"run">) {
  const store = useExecution(route.execution, { thinking: true });
  if (store?.refused.value) return <Refused sentence={store.refused.value} />;
  if (!store?.ready.value) return <Loading />;
  store.era.value; // another snapshot may have other tasks
  return <WithLayout key={`${store.id} ${store.fold.total}`} store={store} route={route} />;
}

function WithLayout({ store, route }: Omit<RunProps, "layout">) {
  const layout = useResource((signal) => layoutOf(store.id, store.fold, signal), [store]);
  if (layout.value.value) return <Run store={store} layout={layout.value.value} route={route} />;
  return layout.error.value ? <Failed error={layout.error.value} again={layout.reload} /> : <Loading />;
}

/** A run that is not there, or cannot be watched. */
function Refused({ sentence }: { sentence: string }) {
  return (
    <div class="page">
      <Failed error={sentence} />
      <Link to={{ page: "runs" }}>{s.allRuns()}</Link>
    </div>
  );
}

type RunProps = { store: ExecutionStore; layout: LayoutJson; route: PageProps<"run">["route"] };

function Run({ store, layout, route }: RunProps) {
  const state = useMemo(() => new RunState(store, modelOf(layout, store.fold.ids)), [store, layout]);
  useEffect(() => {
    if (route.task) state.selected.value = route.task;
  }, [state, route.task]);
  const load = drawer();
  const isOpen = route.task !== undefined && load !== undefined;
  useShortcuts([
    { key: "Enter", what: s.keyOpen(), run: (event) => isOnButton(event) && openSelected(state) },
    { key: "Escape", what: s.keyClose(), run: () => stepOut(state, route.task !== undefined) },
    { key: "n", what: s.keyTrouble(), run: () => state.seekTrouble() },
    ...VIEWS.map((view, n) => ({
      key: String(n + 1),
      what: s.keyView(),
      run: () => {
        state.choose(view);
        return true;
      },
    })),
  ]);
  return (
    <div class="run">
      <Summary state={state} />
      <div class="run-tools row wrap">
        <Tabs
          label={s.views()}
          panel="run-view"
          tabs={VIEWS.map((key) => ({ key, label: s[key]() }))}
          current={state.view.value}
          choose={(view) => state.choose(view)}
        />
        <span class="grow" />
        <FilterBar state={state}>
          <ClassSwitch state={state} />
        </FilterBar>
      </div>
      <div class="run-body">
        <div class="run-view" id="run-view" role="tabpanel" aria-label={s[state.view.value]()}>
          <Current state={state} view={state.view.value} />
        </div>
        <SidePanel state={state} />
      </div>
      <Announcer state={state} />
      {isOpen && (
        <Lazy<TaskDrawerProps>
          load={load}
          props={{
            store,
            execution: route.execution,
            task: route.task!,
            attempt: route.attempt,
            close: () => state.close(),
          }}
        />
      )}
    </div>
  );
}

/** Enter on a button or a link is its own. */
function isOnButton(event: KeyboardEvent): boolean {
  return !(event.target instanceof HTMLElement && event.target.closest("button, a"));
}

function openSelected(state: RunState): boolean {
  if (!state.model.number.has(state.selected.value)) return false;
  state.open(state.selected.value);
  return true;
}

function stepOut(state: RunState, isOpen: boolean): boolean {
  if (isOpen) state.close();
  else state.selected.value = "";
  return true;
}

function Current({ state, view }: { state: RunState; view: View }) {
  switch (view) {
    case "graph": {
      const drawing = state.showsClasses.value ? state.model.classes : state.model.graph;
      return (
        <CanvasView
          key={state.showsClasses.value ? "classes" : "tasks"}
          state={state}
          drawing={drawing}
          name={s.graph()}
        />
      );
    }
    case "grid":
      return <CanvasView key="grid" state={state} drawing={state.model.grid} name={s.grid()} />;
    case "tree":
      return <TreeView state={state} />;
    case "timeline":
      return <TimelineView state={state} />;
    case "table":
      return <TableView state={state} />;
  }
}

function ClassSwitch({ state }: { state: RunState }) {
  const { classes, graph } = state.model;
  if (state.view.value !== "graph" || classes.nodes.length === graph.nodes.length) return null;
  return (
    <label class="row check small">
      <input
        type="checkbox"
        checked={state.showsClasses.value}
        onChange={(event) => {
          state.showsClasses.value = event.currentTarget.checked;
        }}
      />
      {s.equalAsOne()}
    </label>
  );
}

/** Tells screen readers what is selected, since the canvas cannot. */
function Announcer({ state }: { state: RunState }) {
  const entry = state.model.byId.get(state.selected.value);
  return (
    <div class="visually-hidden" aria-live="polite">
      {entry && (
        <>
          {entry.id} <StateMark status={tally(entry.tasks, state.store.live).status} label />{" "}
          {entry.description.slice(0, 200)}
        </>
      )}
    </div>
  );
}
