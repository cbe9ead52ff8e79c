// The time line: a row for each task, its attempts as spans. The journal is read once, and the events after it are added.
import { effect, useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { executions, isAborted } from "../../../api";
import { isAtRest } from "../../../store";
import { isDark } from "../../../theme/theme";
import { Button, Failed, format, useShortcuts } from "../../../ui";
import { AXIS, labels, paintLanes, ROW, spanAt, type TimeView } from "../canvas/lanes";
import { type Palette, readPalette } from "../canvas/palette";
import { Lanes, type Span } from "../model/lanes";
import { useRows } from "../rows";
import type { RunState } from "../state";
import { s } from "../strings";
import "./canvas.css";

const PAGE = 1000;

export function TimelineView({ state }: { state: RunState }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const lanes = useSignal<Lanes | undefined>(undefined);
  const error = useSignal<unknown>(undefined);
  const tries = useSignal(0);
  const view = useSignal<TimeView>({ width: 0, height: 0, top: 0, zoom: 1, offset: 0 });
  const pointed = useSignal<{ span: Span; id: string; x: number; y: number } | undefined>(undefined);

  useEffect(() => {
    const control = new AbortController();
    const reading = new Lanes();
    const missed: Parameters<Lanes["take"]>[0][] = [];
    const stop = state.store.onEvents((events) => {
      if (lanes.value) for (const event of events) reading.take(event);
      else missed.push(...events);
    });
    error.value = undefined;
    readJournal(state.execution, reading, control.signal).then(
      () => {
        for (const event of missed) reading.take(event);
        lanes.value = reading;
      },
      (problem: unknown) => {
        if (!isAborted(problem)) error.value = problem;
      },
    );
    return () => {
      lanes.value = undefined;
      stop();
      control.abort();
    };
  }, [state, tries.value]);

  const rowsOf = () => {
    const first = (n: number) =>
      lanes.value?.spans.get(state.model.ids[n]!)?.[0]?.start ?? Number.POSITIVE_INFINITY;
    const shown = state.shown.value;
    return state.filter.value.failedFirst ? shown : [...shown].sort((a, b) => first(a) - first(b) || a - b);
  };

  useEffect(() => {
    if (!canvas.current || !lanes.value) return;
    const element = canvas.current;
    let palette: Palette | undefined;
    let scheduled = false;
    const theme = effect(() => {
      isDark.value;
      palette = undefined;
    });
    const paint = () => {
      scheduled = false;
      if (!lanes.value || view.peek().width === 0) return;
      palette ??= readPalette(element);
      paintLanes(element, {
        lanes: lanes.value,
        rows: rowsOf(),
        state,
        view: view.peek(),
        palette,
        now: endOf(state, lanes.value),
      });
    };
    const soon = () => {
      if (!scheduled) requestAnimationFrame(paint);
      scheduled = true;
    };
    const drawing = effect(() => {
      state.store.version.value;
      state.selected.value;
      state.shown.value;
      isDark.value;
      view.value;
      soon();
    });
    const ticking = setInterval(() => isAtRest(state.store.fold.state) || soon(), 1000);
    const observer = new ResizeObserver(() => {
      view.value = { ...view.peek(), width: element.clientWidth, height: element.clientHeight };
    });
    observer.observe(element);
    const wheel = (event: WheelEvent) => {
      event.preventDefault();
      view.value = scrolled(view.peek(), event, rowsOf().length);
    };
    element.addEventListener("wheel", wheel, { passive: false });
    return () => {
      theme();
      drawing();
      clearInterval(ticking);
      observer.disconnect();
      element.removeEventListener("wheel", wheel);
    };
  }, [state, lanes.value]);

  const at = useRows(state, lanes.value ? rowsOf().map((n) => state.model.ids[n]!) : []);
  useShortcuts([
    { key: "ArrowDown", what: s.keyMove(), run: () => at.move(1) },
    { key: "ArrowUp", what: s.keyMove(), run: () => at.move(-1) },
  ]);
  useEffect(() => {
    if (at.current !== undefined) view.value = revealed(view.peek(), at.current);
  }, [at.current]);

  if (error.value) return <Failed error={error.value} again={() => (tries.value += 1)} />;
  if (!lanes.value) return <p class="muted nothing">{s.loadingStory()}</p>;
  if (lanes.value.spans.size === 0 && isAtRest(state.store.fold.state))
    return <p class="muted nothing">{s.nothingYet()}</p>;
  const find = (event: MouseEvent) => {
    const box = canvas.current!.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    const rows = rowsOf();
    const n = rows[Math.floor((y - AXIS + view.value.top) / ROW)];
    const id = y < AXIS || n === undefined ? "" : state.model.ids[n]!;
    const span = id ? spanAt(lanes.value!, view.value, id, x, endOf(state, lanes.value!)) : undefined;
    return { id, span, x, y };
  };
  const zoomBy = (factor: number) => {
    view.value = zoomed(view.value, factor, view.value.width / 2);
  };
  return (
    <div class="canvas-view">
      <canvas
        ref={canvas}
        class="lanes"
        tabIndex={0}
        role="img"
        aria-label={s.canvas(s.timeline(), state.model.ids.length)}
        onClick={(event) => (state.selected.value = find(event).id)}
        onDblClick={(event) => state.open(find(event).id)}
        onPointerMove={(event) => {
          const { id, span, x, y } = find(event);
          pointed.value = span ? { id, span, x, y } : undefined;
        }}
        onPointerLeave={() => (pointed.value = undefined)}
      />
      {pointed.value && (
        <div class="overlays">
          <div
            class="hover-card small"
            style={{
              left: `${Math.min(pointed.value.x + 12, view.value.width - 330)}px`,
              top: `${pointed.value.y + 14}px`,
            }}
          >
            <strong class="mono">{pointed.value.id}</strong>
            <div>
              {s[pointed.value.span.phase]()} · {s.attemptShort(pointed.value.span.attempt)}
              {pointed.value.span.worker && ` · ${pointed.value.span.worker}`}
            </div>
            <div class="muted numbers">
              {format.clockTime(pointed.value.span.start)} ·{" "}
              {format.duration(
                (pointed.value.span.end || endOf(state, lanes.value)) - pointed.value.span.start,
              )}
            </div>
          </div>
        </div>
      )}
      <div class="zoom row">
        <Button
          small
          kind="quiet"
          aria-label={s.zoomOut()}
          title={s.zoomOut()}
          onClick={() => zoomBy(1 / 1.5)}
        >
          −
        </Button>
        <Button small kind="quiet" aria-label={s.zoomIn()} title={s.zoomIn()} onClick={() => zoomBy(1.5)}>
          +
        </Button>
        <Button small kind="quiet" onClick={() => (view.value = { ...view.value, zoom: 1, offset: 0 })}>
          {s.fit()}
        </Button>
      </div>
    </div>
  );
}

/** Reads the journal page by page; the frames between are free. */
async function readJournal(execution: string, lanes: Lanes, signal: AbortSignal): Promise<void> {
  let after: string | undefined = "0";
  while (after !== undefined) {
    const page: Awaited<ReturnType<typeof executions.story>> = await executions.story(
      execution,
      { after, pageSize: PAGE },
      { signal },
    );
    for (const event of page.events ?? []) lanes.take(event);
    after = page.nextAfter || undefined;
    if (!page.events?.length) return;
  }
}

/** The end of the time axis: now, while the run goes on. */
function endOf(state: RunState, lanes: Lanes): number {
  return isAtRest(state.store.fold.state) ? lanes.last : Math.max(Date.now(), lanes.last);
}

function scrolled(view: TimeView, event: WheelEvent, rows: number): TimeView {
  const step = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1;
  if (event.ctrlKey || event.metaKey)
    return zoomed(view, Math.exp(-event.deltaY * step * 0.0022), event.offsetX);
  const most = Math.max(0, rows * ROW + AXIS + 12 - view.height);
  const top = Math.min(most, Math.max(0, view.top + (event.shiftKey ? 0 : event.deltaY) * step));
  return bounded({
    ...view,
    top,
    offset: view.offset + (event.shiftKey ? event.deltaY : event.deltaX) * step,
  });
}

function zoomed(view: TimeView, factor: number, x: number): TimeView {
  const zoom = Math.min(400, Math.max(1, view.zoom * factor));
  const at = x - labels(view) + view.offset;
  return bounded({ ...view, zoom, offset: (at * zoom) / view.zoom - (x - labels(view)) });
}

function bounded(view: TimeView): TimeView {
  const most = Math.max(0, (view.width - labels(view)) * (view.zoom - 1));
  return { ...view, offset: Math.min(most, Math.max(0, view.offset)) };
}

function revealed(view: TimeView, row: number): TimeView {
  const y = row * ROW;
  if (y < view.top) return { ...view, top: y };
  const low = y + ROW + AXIS - view.height;
  return low > view.top ? { ...view, top: low } : view;
}
