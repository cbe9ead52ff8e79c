// The map as a timetable: a column for each stage, a cell for each task, and only the cells in view in the document.
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { words } from "../../i18n";
import { visible } from "../../ui";
import { type Arrow, type Cell, nextCell, reached, type Timetable } from "./grid";
import { s } from "./strings";
import "./grid.css";

const WIDTH = 176;
const HEIGHT = 46;
const GAP = 44;
const SPACE = 10;
const HEAD = 34;
const EDGE = 16;
const AROUND = 200; // pixels around the view whose cells are there too

type Props = {
  readonly table: Timetable;
  readonly selected: string | undefined;
  readonly select: (id: string) => void;
};
type View = { readonly x: number; readonly y: number; readonly width: number; readonly height: number };

const left = (cell: Cell) => EDGE + cell.column * (WIDTH + GAP);
const top = (cell: Cell) => HEAD + EDGE + cell.row * (HEIGHT + SPACE);

export function MapGrid({ table, selected, select }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const [view, setView] = useState<View>({ x: 0, y: 0, width: 1200, height: 800 });
  const look = () => box.current && setView(viewOf(box.current));
  useLayoutEffect(() => {
    const watcher = new ResizeObserver(look);
    watcher.observe(box.current!);
    return () => watcher.disconnect();
  }, []);

  const around = useMemo(
    () => ({
      before: selected ? reached(table, selected, table.before) : new Set<string>(),
      after: selected ? reached(table, selected, table.after) : new Set<string>(),
    }),
    [table, selected],
  );
  const width = 2 * EDGE + table.columns.length * (WIDTH + GAP) - GAP;
  const height = HEAD + 2 * EDGE + table.rows * (HEIGHT + SPACE) - SPACE;
  const shown = useMemo(() => cellsIn(table, view), [table, view]);
  const holder = selected && table.cells.has(selected) ? selected : shown[0]?.id;

  useEffect(
    () => bringIntoView(box.current, selected ? table.cells.get(selected) : undefined),
    [selected, table],
  );
  const move = (event: KeyboardEvent) => {
    const from = table.cells.get(holder ?? "");
    if (!from || !event.key.startsWith("Arrow")) return;
    event.preventDefault();
    event.stopPropagation();
    const next = selected ? nextCell(table, from, event.key as Arrow) : from;
    if (!next) return;
    select(next.id);
    requestAnimationFrame(() => box.current?.querySelector<HTMLElement>(`[data-cell="${next.id}"]`)?.focus());
  };
  return (
    <div
      class="map-grid"
      ref={box}
      onScroll={look}
      onKeyDown={move}
      role="group"
      aria-label={`${s.map()}. ${s.mapHint()}`}
    >
      <div class="map-room" style={{ width: `${width}px`, height: `${height}px` }}>
        {columnsIn(table, view).map((column) => (
          <div
            key={column}
            class="map-stage"
            style={{
              left: `${EDGE + column * (WIDTH + GAP)}px`,
              width: `${WIDTH}px`,
              height: `${height - HEAD}px`,
              top: `${HEAD}px`,
            }}
          />
        ))}
        <Lines table={table} selected={selected} width={width} height={height} />
        <div class="map-head">
          {columnsIn(table, view).map((column) => (
            <span key={column} style={{ left: `${EDGE + column * (WIDTH + GAP)}px`, width: `${WIDTH}px` }}>
              {words.stageN(column + 1)} <span class="muted">· {table.columns[column]!.length}</span>
            </span>
          ))}
        </div>
        {shown.map((cell) => (
          <button
            key={cell.id}
            type="button"
            data-cell={cell.id}
            class={`map-cell ${cell.id === selected ? "selected" : ""} ${around.before.has(cell.id) ? "before" : ""} ${around.after.has(cell.id) ? "after" : ""}`}
            style={{
              left: `${left(cell)}px`,
              top: `${top(cell)}px`,
              width: `${WIDTH}px`,
              height: `${HEIGHT}px`,
            }}
            tabIndex={cell.id === holder ? 0 : -1}
            aria-pressed={cell.id === selected}
            title={visible((table.entries.get(cell.id)?.description ?? "").slice(0, 400))}
            onClick={() => select(cell.id)}
          >
            <span class="map-id">{cell.id}</span>
            <span class="map-text">
              {visible((table.entries.get(cell.id)?.description ?? "").slice(0, 120))}
            </span>
          </button>
        ))}
      </div>
    </div>
  );
}

function Lines({
  table,
  selected,
  width,
  height,
}: {
  table: Timetable;
  selected: string | undefined;
  width: number;
  height: number;
}) {
  if (table.lines.length === 0) return null;
  return (
    <svg class="map-lines" width={width} height={height} aria-hidden="true">
      {table.lines.map(([from, to]) => {
        const kind = to === selected ? "before" : from === selected ? "after" : "";
        return (
          <path key={`${from} ${to}`} class={kind} d={curve(table.cells.get(from)!, table.cells.get(to)!)} />
        );
      })}
    </svg>
  );
}

function curve(from: Cell, to: Cell): string {
  const x1 = left(from) + WIDTH;
  const y1 = top(from) + HEIGHT / 2;
  const x2 = left(to);
  const y2 = top(to) + HEIGHT / 2;
  const bend = Math.max(20, (x2 - x1) / 2);
  return `M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`;
}

function columnsIn({ columns }: Timetable, view: View): number[] {
  const first = Math.max(0, Math.floor((view.x - AROUND) / (WIDTH + GAP)));
  const last = Math.min(columns.length - 1, Math.ceil((view.x + view.width + AROUND) / (WIDTH + GAP)));
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, n) => first + n);
}

function cellsIn(table: Timetable, view: View): Cell[] {
  const from = (view.y - AROUND - HEAD) / (HEIGHT + SPACE) - 1;
  const to = (view.y + view.height + AROUND) / (HEIGHT + SPACE);
  return columnsIn(table, view).flatMap((n) =>
    table.columns[n]!.filter(({ row }) => row >= from && row <= to),
  );
}

function viewOf(box: HTMLDivElement): View {
  return { x: box.scrollLeft, y: box.scrollTop, width: box.clientWidth, height: box.clientHeight };
}

function bringIntoView(box: HTMLDivElement | null, cell: Cell | undefined): void {
  if (!box || !cell) return;
  const [x, y] = [left(cell), top(cell)];
  if (x < box.scrollLeft) box.scrollLeft = x - EDGE;
  else if (x + WIDTH > box.scrollLeft + box.clientWidth) box.scrollLeft = x + WIDTH - box.clientWidth + EDGE;
  if (y < box.scrollTop + HEAD) box.scrollTop = y - HEAD - EDGE;
  else if (y + HEIGHT > box.scrollTop + box.clientHeight)
    box.scrollTop = y + HEIGHT - box.clientHeight + EDGE;
}
