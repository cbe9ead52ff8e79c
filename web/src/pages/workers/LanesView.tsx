import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { executions, useResource } from "../../api";
import type { ExecutionJson } from "../../gen/signoff/v1/execution_pb";
import { query, setQuery } from "../../router";
import { isDark } from "../../theme/theme";
import { Button, Failed, format, Loading, stateLabel, useNow, visible } from "../../ui";
import { isLive } from "../runs/figures";
import { coloursOf, draw, type Frame, HEAD, type Placed, placed, workAt } from "./drawing";
import { type Following, MOST_EVENTS, useLanes } from "./follow";
import { arranged, busyShare, type Lane, lengthOf, type Work } from "./lanes";
import { s } from "./strings";
import { WorkLine, WorkTable } from "./WorkTable";

const MOST = 30; // executions to choose from
const MOST_AT_ONCE = 5;
const MOST_ZOOM = 4096;
const AT_FIRST = 600_000; // milliseconds that are shown at first, the last ones

/** The time line of the workers, of the executions that run or of a chosen one. */
export function LanesView({ names }: { names: readonly string[] }) {
  const list = useResource((signal) => executions.list({ pageSize: MOST }, { signal }), []);
  const all = list.value.value && (list.value.value.executions ?? []);
  if (list.error.value && !all) return <Failed error={list.error.value} again={list.reload} />;
  if (!all) return <Loading />;
  if (all.length === 0) return <p class="card muted">{s.noLanes()}</p>;
  return <Chosen all={all} names={names} reload={list.reload} />;
}

function Chosen({
  all,
  names,
  reload,
}: {
  all: readonly ExecutionJson[];
  names: readonly string[];
  reload: () => void;
}) {
  const wanted = query.value.get("execution") ?? "";
  const running = all.filter(isLive).slice(0, MOST_AT_ONCE);
  const one = all.find(({ executionId }) => executionId === wanted);
  const chosen = one
    ? [one]
    : wanted
      ? [{ executionId: wanted }]
      : running.length
        ? running
        : all.slice(0, 1);
  const following = useLanes(chosen);
  const choose = (value: string) => {
    setQuery({ execution: value || undefined });
    reload();
  };
  return (
    <div class="stack">
      <div class="row wrap">
        <label class="row">
          <span>{s.ofExecution()}</span>
          <select
            class="field"
            value={one ? wanted : running.length ? "" : chosen[0]?.executionId}
            onChange={(event) => choose(event.currentTarget.value)}
          >
            {running.length > 0 && <option value="">{s.allRunning(running.length)}</option>}
            {all.map(({ executionId = "", planId, state, createdAt }) => (
              <option key={executionId} value={executionId}>
                {`${planId} · ${stateLabel(state)} · ${format.moment(Date.parse(createdAt ?? ""))}`}
              </option>
            ))}
          </select>
        </label>
        {following.isCut.value && <span class="small muted">{s.cut(format.count(MOST_EVENTS))}</span>}
      </div>
      {following.error.value !== undefined && <Failed error={following.error.value} />}
      <TimeLine
        key={chosen.map(({ executionId }) => executionId).join()}
        following={following}
        names={names}
        isLive={chosen.some(isLive)}
      />
    </div>
  );
}

function TimeLine({
  following,
  names,
  isLive: live,
}: {
  following: Following;
  names: readonly string[];
  isLive: boolean;
}) {
  const { lanes, version } = following;
  const now = useNow(live);
  const seen = version.value;
  const [selected, select] = useState<Work | undefined>();
  const [worker, setWorker] = useState("");
  const ordered = useMemo(
    () => inOrder([...lanes.byWorker.values()].map(arranged), names),
    [lanes, seen, names],
  );
  if (lanes.count === 0)
    return following.isReady.value ? <p class="card muted">{s.noLanes()}</p> : <Loading />;
  return (
    <>
      <Canvas
        lanes={ordered}
        first={lanes.first}
        last={live ? Math.max(now, lanes.last) : lanes.last}
        latest={lanes.last}
        seen={seen}
        selected={selected}
        select={select}
      />
      {selected && (
        <p class="card">
          <WorkLine work={selected} now={now} />
        </p>
      )}
      <WorkTable lanes={ordered} seen={seen} now={now} worker={worker} setWorker={setWorker} />
    </>
  );
}

function inOrder(lanes: Lane[], names: readonly string[]): Lane[] {
  const rank = new Map(names.map((name, n) => [name, n]));
  const of = ({ worker }: Lane) => rank.get(worker) ?? names.length;
  return lanes.sort((a, b) => of(a) - of(b) || a.worker.localeCompare(b.worker, "en", { numeric: true }));
}

type CanvasProps = {
  lanes: readonly Lane[];
  first: number;
  last: number;
  /** When something happened last: the time line goes on to now. */
  latest: number;
  seen: number;
  selected: Work | undefined;
  select: (work: Work | undefined) => void;
};

function Canvas({ lanes, first, last, latest, seen, selected, select }: CanvasProps) {
  const box = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const [zoom, setZoom] = useState(() => Math.max(1, Math.min(MOST_ZOOM, (last - first) / AT_FIRST)));
  const [view, setView] = useState({ width: 800, height: 300, x: 0, y: 0 });
  const dark = isDark.value;
  const { places, height } = useMemo(() => placed(lanes), [lanes, seen]);
  const names = view.width < 600 ? 96 : 150;
  const span = Math.max(1000, (last - first) * 1.02);
  const scale = ((view.width - names) * zoom) / span;
  const frame: Frame = { ...view, names, first, last, scale, now: last };

  const look = () => {
    const element = box.current;
    if (element)
      setView({
        width: element.clientWidth,
        height: element.clientHeight,
        x: element.scrollLeft,
        y: element.scrollTop,
      });
  };
  useLayoutEffect(() => {
    const watcher = new ResizeObserver(look);
    watcher.observe(box.current!);
    look();
    return () => watcher.disconnect();
  }, []);
  useLayoutEffect(() => {
    const element = canvas.current;
    if (!element) return;
    const ratio = devicePixelRatio || 1;
    const isSame =
      element.width === Math.round(view.width * ratio) && element.height === Math.round(view.height * ratio);
    if (!isSame) {
      element.width = Math.round(view.width * ratio);
      element.height = Math.round(view.height * ratio);
    }
    const context = element.getContext("2d")!;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    const label = ({ lane }: Placed) =>
      `${visible(lane.worker)}  ${Math.round(100 * busyShare(lane, first, last))} %`;
    draw(context, places, frame, coloursOf(element), selected, label);
  }, [places, view, zoom, dark, selected, last, seen]);
  // At first the last work is in view, once it is known how wide the view is.
  useEffect(() => {
    const element = box.current;
    if (element && zoom > 1) element.scrollLeft = names + (latest - first) * scale - element.clientWidth + 80;
  }, [view.width]);
  // The end of the time line stays in view while it grows, when it was in view before.
  useEffect(() => {
    const element = box.current;
    if (element && zoom > 1 && element.scrollWidth - element.clientWidth - element.scrollLeft < 80)
      element.scrollLeft = element.scrollWidth;
  }, [last]);

  const at = (event: MouseEvent) => {
    const rectangle = canvas.current!.getBoundingClientRect();
    return workAt(places, frame, event.clientX - rectangle.left, event.clientY - rectangle.top);
  };
  const change = (by: number) => {
    const next = Math.max(1, Math.min(MOST_ZOOM, zoom * by));
    const element = box.current!;
    const middle = (element.scrollLeft + element.clientWidth / 2) / element.scrollWidth;
    setZoom(next);
    requestAnimationFrame(() => {
      element.scrollLeft = middle * element.scrollWidth - element.clientWidth / 2;
    });
  };
  const shown = Math.min(height, 460);
  return (
    <div class="stack tight">
      <div class="row wrap">
        <span class="small muted grow">{s.lanesHint()}</span>
        <Button small onClick={() => change(0.5)} disabled={zoom <= 1} aria-label={s.zoomOut()}>
          −
        </Button>
        <Button small onClick={() => change(2)} aria-label={s.zoomIn()}>
          +
        </Button>
        <Button small onClick={() => setZoom(1)} disabled={zoom === 1}>
          {s.whole()}
        </Button>
      </div>
      <div
        class="lanes"
        ref={box}
        onScroll={look}
        style={{ height: `${Math.max(HEAD + 60, shown + 14)}px` }}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, and the arrow keys do that
        tabIndex={0}
      >
        <div
          class="lanes-room"
          style={{ width: `${Math.round(names + span * scale)}px`, height: `${height}px` }}
        >
          <canvas
            ref={canvas}
            class="lanes-canvas"
            style={{ width: `${view.width}px`, height: `${view.height}px` }}
            role="img"
            aria-label={s.lanesLabel(lanes.length)}
            onClick={(event) => select(at(event))}
            onMouseMove={(event) => {
              const work = at(event);
              event.currentTarget.title = work
                ? `${visible(work.worker)} · ${work.task} · ${format.duration(lengthOf(work, last))}`
                : "";
              event.currentTarget.style.cursor = work ? "pointer" : "default";
            }}
          />
        </div>
      </div>
    </div>
  );
}
