// The time line: a row for each task, its attempts as spans, and its waits between them.
import { effect, type ReadonlySignal, type Signal, useComputed, useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { useResource } from "../../../api";
import { isAtRest, type Wait } from "../../../store";
import { isDark } from "../../../theme/theme";
import { Button, Failed, format, useShortcuts, Visible, waitLabel } from "../../../ui";
import { paintLanes, spanAt } from "../canvas/lanes";
import { type Palette, readPalette } from "../canvas/palette";
import { moved, revealed, rowAt, type TimeView, WHOLE, zoomed } from "../canvas/time-view";
import { followJournal } from "../model/journal";
import { Lanes, type Span } from "../model/lanes";
import { useRows } from "../rows";
import type { RunState } from "../state";
import { s } from "../strings";
import { Why } from "../Why";
import "./canvas.css";

export function TimelineView({ state }: { state: RunState }) {
  const journal = useResource(
    (signal) => followJournal(state.store, new Lanes(state.model.layout), signal),
    [state],
  );
  const lanes = journal.value.value;
  if (journal.error.value) return <Failed error={journal.error.value} again={journal.reload} />;
  if (!lanes) return <p class="muted nothing">{s.loadingStory()}</p>;
  if (lanes.spans.size === 0 && isAtRest(state.store.live.state))
    return <p class="muted nothing">{s.nothingYet()}</p>;
  return <Lines state={state} lanes={lanes} />;
}

type Pointed = { readonly id: string; readonly span: Span | Wait; readonly x: number; readonly y: number };
type Picture = {
  readonly state: RunState;
  readonly lanes: Lanes;
  readonly rows: ReadonlySignal<readonly number[]>;
};

function Lines({ state, lanes }: Omit<Picture, "rows">) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const view = useSignal<TimeView>(WHOLE);
  const pointed = useSignal<Pointed | undefined>(undefined);
  const rows = useComputed(() => rowsOf(state, lanes));
  useEffect(() => keepPainting(canvas.current!, { state, lanes, rows }, view), [state, lanes]);
  useEffect(() => listen(canvas.current!, { state, lanes, rows }, view, pointed), [state, lanes]);
  const at = useRows(
    state,
    rows.value.map((n) => state.model.ids[n]!),
  );
  useShortcuts([
    { key: "ArrowDown", what: s.keyMove(), run: () => at.move(1) },
    { key: "ArrowUp", what: s.keyMove(), run: () => at.move(-1) },
  ]);
  useEffect(() => {
    if (at.current !== undefined) view.value = revealed(view.peek(), at.current);
  }, [at.current]);
  const zoom = (factor: number) => {
    view.value = zoomed(view.value, factor, view.value.width / 2, rows.value.length);
  };
  return (
    <div class="canvas-view">
      <canvas
        ref={canvas}
        class="lanes"
        tabIndex={0}
        role="img"
        aria-label={s.canvas(s.timeline(), state.model.ids.length)}
        onDblClick={() => state.open(state.selected.value)}
      />
      <Card state={state} pointed={pointed} view={view} now={() => endOf(state, lanes)} />
      <div class="legend small muted">
        <span class="hatched" aria-hidden="true" /> {s.waited()}
      </div>
      <div class="zoom row">
        <Button small kind="quiet" aria-label={s.zoomOut()} title={s.zoomOut()} onClick={() => zoom(1 / 1.5)}>
          −
        </Button>
        <Button small kind="quiet" aria-label={s.zoomIn()} title={s.zoomIn()} onClick={() => zoom(1.5)}>
          +
        </Button>
        <Button small kind="quiet" onClick={() => zoom(0)}>
          {s.fit()}
        </Button>
      </div>
    </div>
  );
}

/** What the span or the wait under the pointer is. */
function Card({
  state,
  pointed,
  view,
  now,
}: {
  state: RunState;
  pointed: Signal<Pointed | undefined>;
  view: Signal<TimeView>;
  now: () => number;
}) {
  if (!pointed.value) return null;
  const { id, span, x, y } = pointed.value;
  const place = { left: `${Math.max(4, Math.min(x + 12, view.value.width - 330))}px`, top: `${y + 14}px` };
  return (
    <div class="overlays">
      <div class="hover-card small" style={place}>
        <strong class="mono">{id}</strong>
        {"phase" in span ? <About span={span} /> : <AboutWait state={state} task={id} wait={span} />}
        <div class="muted numbers">
          {format.clockTime(span.start)} · {format.duration((span.end || now()) - span.start)}
        </div>
      </div>
    </div>
  );
}

function About({ span }: { span: Span }) {
  const parts = [s[span.phase](), s.attemptShort(span.attempt), span.worker].filter(Boolean);
  return (
    <div>
      <Visible text={parts.join(" · ")} most={200} />
    </div>
  );
}

/** What a wait was for, and what its event said. Of one that goes on, the runner knows more than the journal. */
function AboutWait({ state, task, wait }: { state: RunState; task: string; wait: Wait }) {
  return (
    <>
      <div>
        {s.waited()} {waitLabel(wait.what)}
      </div>
      {wait.why && (
        <div class="muted">
          <Visible text={wait.why} most={300} />
        </div>
      )}
      {!wait.end && <Why state={state} task={task} />}
    </>
  );
}

/** The tasks of the rows, by their first assignment, unless the failed come first. */
function rowsOf(state: RunState, lanes: Lanes): readonly number[] {
  const shown = state.shown.value;
  if (state.filter.value.failedFirst) return shown;
  const first = (n: number) => lanes.spans.get(state.model.ids[n]!)?.[0]?.start ?? Number.MAX_SAFE_INTEGER;
  return [...shown].sort((a, b) => first(a) - first(b) || a - b);
}

/** The end of the time axis: now, while the run goes on. */
function endOf(state: RunState, lanes: Lanes): number {
  return isAtRest(state.store.fold.state) ? lanes.last : Math.max(Date.now(), lanes.last);
}

/** Paints at most once a frame when something has changed, and each second while the run goes on. */
function keepPainting(
  canvas: HTMLCanvasElement,
  { state, lanes, rows }: Picture,
  view: Signal<TimeView>,
): () => void {
  let palette: Palette | undefined;
  let scheduled = false;
  const paint = () => {
    scheduled = false;
    if (view.peek().width === 0) return;
    palette ??= readPalette(canvas);
    const picture = { lanes, rows: rows.peek(), state, view: view.peek(), palette };
    paintLanes(canvas, { ...picture, now: endOf(state, lanes) });
  };
  const soon = () => {
    if (!scheduled) requestAnimationFrame(paint);
    scheduled = true;
  };
  const stopTheme = effect(() => {
    isDark.value;
    palette = undefined;
    soon();
  });
  const stopAll = effect(() => {
    rows.value;
    state.selected.value;
    view.value;
    soon();
  });
  const ticking = setInterval(() => isAtRest(state.store.fold.state) || soon(), 1000);
  const observer = new ResizeObserver(() => {
    view.value = { ...view.peek(), width: canvas.clientWidth, height: canvas.clientHeight };
  });
  observer.observe(canvas);
  return () => {
    stopTheme();
    stopAll();
    clearInterval(ticking);
    observer.disconnect();
  };
}

const STILL = 5; // pixels that a press may wander and still be a press

/** Wheel and fingers move the view; a press selects; the pointer shows what a span is. */
function listen(
  canvas: HTMLCanvasElement,
  { state, lanes, rows }: Picture,
  view: Signal<TimeView>,
  pointed: Signal<Pointed | undefined>,
): () => void {
  const count = () => rows.peek().length;
  const idAt = (y: number) => {
    const row = rowAt(view.peek(), y);
    const n = row === undefined ? undefined : rows.peek()[row];
    return n === undefined ? "" : state.model.ids[n]!;
  };
  let held: { x: number; y: number } | undefined;
  let wandered = 0;
  const down = (event: PointerEvent) => {
    canvas.setPointerCapture(event.pointerId);
    held = { x: event.offsetX, y: event.offsetY };
    wandered = 0;
  };
  const move = (event: PointerEvent) => {
    const [x, y] = [event.offsetX, event.offsetY];
    if (held) {
      wandered += Math.hypot(x - held.x, y - held.y);
      if (wandered > STILL) view.value = moved(view.peek(), held.x - x, held.y - y, count());
      held = { x, y };
      return;
    }
    const id = idAt(y);
    const span = id ? spanAt(lanes, view.peek(), id, x, endOf(state, lanes)) : undefined;
    pointed.value = span ? { id, span, x, y } : undefined;
  };
  const up = (event: PointerEvent) => {
    if (held && wandered <= STILL) state.selected.value = idAt(event.offsetY);
    held = undefined;
  };
  const wheel = (event: WheelEvent) => {
    event.preventDefault();
    const step = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1;
    const [dx, dy] = event.shiftKey ? [event.deltaX || event.deltaY, 0] : [event.deltaX, event.deltaY];
    view.value =
      event.ctrlKey || event.metaKey
        ? zoomed(view.peek(), Math.exp(-event.deltaY * step * 0.0022), event.offsetX, count())
        : moved(view.peek(), dx * step, dy * step, count());
  };
  const control = new AbortController();
  const options = { signal: control.signal };
  canvas.addEventListener("pointerdown", down, options);
  canvas.addEventListener("pointermove", move, options);
  canvas.addEventListener("pointerup", up, options);
  canvas.addEventListener("pointercancel", () => (held = undefined), options);
  canvas.addEventListener("pointerleave", () => (pointed.value = undefined), options);
  canvas.addEventListener("wheel", wheel, { ...options, passive: false });
  return () => control.abort();
}
