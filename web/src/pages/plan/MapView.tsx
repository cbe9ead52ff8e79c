import { useMemo } from "preact/hooks";
import type { LayoutJson, useResource } from "../../api";
import { query, setQuery } from "../../router";
import { Failed, Loading } from "../../ui";
import { timetableOf } from "./grid";
import { MapGrid } from "./MapGrid";
import { s } from "./strings";
import { TaskCard } from "./TaskCard";
import { Tree } from "./Tree";

/** The stored map as a timetable or a tree, and the task that is chosen in it. */
export function MapView(props: {
  view: "map" | "tree";
  layout: ReturnType<typeof useResource<LayoutJson | undefined>>;
  isDirty: boolean;
  findInText: ((id: string) => void) | undefined;
}) {
  const { view, layout, isDirty, findInText } = props;
  const found = layout.value.value;
  const table = useMemo(() => (found ? timetableOf(found) : undefined), [found]);
  const selected = query.value.get("task") ?? undefined;
  const select = (id: string) => setQuery({ task: id });
  if (layout.error.value) return <Failed error={layout.error.value} again={layout.reload} />;
  if (!table) return layout.busy.value ? <Loading /> : <p class="plan-notice">{s.noMap()}</p>;
  return (
    <div class={`plan-two ${view === "map" ? "fits" : ""}`}>
      <div class="plan-main stack">
        {isDirty && <p class="plan-notice">{s.mapOfStored()}</p>}
        {view === "tree" && <Tree table={table} selected={selected} select={select} />}
        {view === "map" && table.columns.length > 0 && (
          <MapGrid table={table} selected={selected} select={select} />
        )}
        {view === "map" && table.isolated.length > 0 && (
          <div class="stack tight">
            <h3>{s.isolated()}</h3>
            <div class="map-isolated">
              {table.isolated.slice(0, 500).map((id) => (
                <button key={id} type="button" onClick={() => select(id)}>
                  {id}
                </button>
              ))}
            </div>
          </div>
        )}
      </div>
      <aside class="plan-side">
        <TaskCard table={table} id={selected} select={select} findInText={findInText} />
      </aside>
    </div>
  );
}
