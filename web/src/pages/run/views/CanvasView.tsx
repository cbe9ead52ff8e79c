// A drawing on a canvas: the graph and the grid. The selected and the hovered node alone are in the document.
import { effect, useComputed, useSignal } from "@preact/signals";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { isDark, reducesMotion } from "../../../theme/theme";
import { Button, useShortcuts } from "../../../ui";
import { begin, type Camera, reveal, type Size, toScreen, toWorld, whole, zoom } from "../canvas/camera";
import { HEAD, Painter, type Scene } from "../canvas/painter";
import { type Palette, readPalette } from "../canvas/palette";
import { listenToPointer } from "../canvas/pointer";
import type { Drawing, DrawnNode } from "../model/drawing";
import { isActive } from "../model/filter";
import { type Arrow, nextNode } from "../model/moves";
import { NodeCard } from "../NodeCard";
import type { RunState } from "../state";
import { s } from "../strings";
import "./canvas.css";

const MOST_GLOWS = 150; // at once: more are a flicker
const GLOW = 700;

type Props = { state: RunState; drawing: Drawing; name: string };

export function CanvasView({ state, drawing, name }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const size = useSignal<Size>({ width: 0, height: 0 });
  const camera = useSignal<Camera | undefined>(undefined);
  const view = useMemo(() => new CanvasPainter(state, drawing), [state, drawing]);

  useEffect(() => watchSize(canvas.current!, (now) => (size.value = now)), []);
  useEffect(() => {
    camera.value = undefined; // another drawing begins anew
    return effect(() => {
      if (!camera.value && size.value.width > 0) camera.value = begin(drawing.bounds, size.value, HEAD);
      if (camera.value) view.paintSoon(canvas.current!, camera.value, size.value);
    });
  }, [view]);
  useEffect(() => view.start(), [view]);
  useEffect(() => {
    const at = (x: number, y: number) => {
      if (!camera.value || y < HEAD) return undefined;
      const point = toWorld(camera.value, x, y);
      return drawing.find.at(point.x, point.y);
    };
    return listenToPointer(canvas.current!, {
      camera: () => camera.value ?? { x: 0, y: 0, scale: 1 },
      move: (next) => (camera.value = next),
      hover: (x, y) => (state.hovered.value = at(x, y)?.id ?? ""),
      leave: () => (state.hovered.value = ""),
      press: (x, y) => (state.selected.value = at(x, y)?.id ?? ""),
    });
  }, [view]);
  // What is selected elsewhere, or by key, comes into view.
  useEffect(
    () =>
      effect(() => {
        const node = view.node(state.selected.value);
        const now = camera.peek();
        if (node && now) camera.value = reveal(now, node, size.peek(), HEAD);
      }),
    [view],
  );
  const step = (arrow: Arrow) => {
    const next = nextNode(drawing, view.node(state.selected.value), arrow);
    if (next) state.selected.value = next.id;
    return next !== undefined;
  };
  useShortcuts(
    (["ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight"] as const).map((key) => ({
      key,
      what: s.keyMove(),
      run: () => step(key),
    })),
  );
  const by = (factor: number) => {
    const middle = { x: size.value.width / 2, y: size.value.height / 2 };
    if (camera.value) camera.value = zoom(camera.value, factor, middle);
  };
  return (
    <div class="canvas-view">
      <canvas
        ref={canvas}
        tabIndex={0}
        role="img"
        aria-label={s.canvas(name, state.model.ids.length)}
        onDblClick={() => state.open(state.selected.value)}
      />
      <Overlays state={state} view={view} camera={camera} />
      <div class="zoom row">
        <Button small kind="quiet" aria-label={s.zoomOut()} title={s.zoomOut()} onClick={() => by(1 / 1.4)}>
          −
        </Button>
        <Button small kind="quiet" aria-label={s.zoomIn()} title={s.zoomIn()} onClick={() => by(1.4)}>
          +
        </Button>
        <Button small kind="quiet" onClick={() => (camera.value = whole(drawing.bounds, size.value, HEAD))}>
          {s.fit()}
        </Button>
      </div>
    </div>
  );
}

function watchSize(canvas: HTMLCanvasElement, tell: (size: Size) => void): () => void {
  const observer = new ResizeObserver(() => tell({ width: canvas.clientWidth, height: canvas.clientHeight }));
  observer.observe(canvas);
  return () => observer.disconnect();
}

/** The frame of the selected node, and the card of the hovered one. */
function Overlays(props: { state: RunState; view: CanvasPainter; camera: { value: Camera | undefined } }) {
  const { state, view, camera } = props;
  const selected = useComputed(() => place(view.node(state.selected.value), camera.value));
  const hovered = useComputed(() => place(view.node(state.hovered.value), camera.value));
  return (
    <div class="overlays">
      {selected.value && <div class="selected-frame" style={pixels(selected.value.area)} />}
      {hovered.value && (
        <div class="hover-card" style={cardPlace(hovered.value.area)}>
          <NodeCard state={state} node={hovered.value.node} />
        </div>
      )}
    </div>
  );
}

type Place = { node: DrawnNode; area: { x: number; y: number; width: number; height: number } };

function place(node: DrawnNode | undefined, camera: Camera | undefined): Place | undefined {
  return node && camera ? { node, area: toScreen(camera, node) } : undefined;
}

function pixels({ x, y, width, height }: Place["area"]) {
  return { left: `${x - 3}px`, top: `${y - 3}px`, width: `${width + 6}px`, height: `${height + 6}px` };
}

function cardPlace({ x, y, width, height }: Place["area"]) {
  const isLow = y > 320;
  return {
    left: `${Math.max(4, x + Math.min(0, width - 320))}px`,
    ...(isLow ? { bottom: `calc(100% - ${y - 8}px)` } : { top: `${y + height + 8}px` }),
  };
}

/** Paints at most once a frame, when the execution, the camera, the theme or the selection has changed. */
class CanvasPainter {
  private painter: Painter | undefined;
  private palette: Palette | undefined;
  private readonly glowing = new Map<DrawnNode, number>();
  private readonly changed = new Set<DrawnNode>();
  private scheduled = false;
  private last: { canvas: HTMLCanvasElement; camera: Camera; size: Size } | undefined;
  private readonly byId: Map<string, DrawnNode>;

  constructor(
    private readonly state: RunState,
    private readonly drawing: Drawing,
  ) {
    this.byId = new Map(drawing.nodes.map((node) => [node.id, node] as const));
  }

  /** Returns the node of a task, also of one that is drawn with its equals. */
  node(id: string): DrawnNode | undefined {
    const n = this.state.model.number.get(id);
    return this.byId.get(id) ?? (n === undefined ? undefined : this.drawing.nodeOf[n]);
  }

  start(): () => void {
    const { store, selected, hovered, filter } = this.state;
    const theme = effect(() => {
      isDark.value;
      this.palette = undefined;
      this.again();
    });
    const eras = effect(() => {
      store.era.value; // another snapshot: everything may have changed
      this.palette = undefined;
    });
    const events = effect(() => {
      store.version.value;
      this.note();
      this.again();
    });
    const person = effect(() => {
      selected.value;
      hovered.value;
      filter.value;
      this.again();
    });
    return () => {
      theme();
      eras();
      events();
      person();
    };
  }

  paintSoon(canvas: HTMLCanvasElement, camera: Camera, size: Size): void {
    this.last = { canvas, camera, size };
    this.again();
  }

  private note(): void {
    const { lastChanged } = this.state.store;
    const glows = !reducesMotion.peek() && lastChanged.size <= MOST_GLOWS;
    for (const n of lastChanged) {
      const node = this.drawing.nodeOf[n];
      if (!node) continue;
      this.changed.add(node);
      if (glows) this.glowing.set(node, performance.now());
    }
  }

  private again(): void {
    if (this.scheduled || !this.last) return;
    this.scheduled = true;
    requestAnimationFrame(() => {
      this.scheduled = false;
      this.paint();
    });
  }

  private paint(): void {
    if (!this.last?.size.width) return;
    const { canvas, camera, size } = this.last;
    const { state, drawing } = this;
    this.painter ??= new Painter(canvas);
    this.palette ??= readPalette(canvas);
    const now = performance.now();
    const changed = new Set([...this.changed, ...this.glowing.keys()]);
    this.changed.clear();
    for (const [node, at] of this.glowing) if (now - at > GLOW) this.glowing.delete(node);
    const scene: Scene = {
      drawing,
      fold: state.store.fold,
      camera,
      size,
      ratio: devicePixelRatio || 1,
      palette: this.palette,
      selectedId: this.byId.has(state.selected.value)
        ? state.selected.value
        : (this.node(state.selected.value)?.id ?? state.selected.value),
      hovered: this.node(state.hovered.value),
      filter: state.filter.value,
      matches: isActive(state.filter.value) ? state.matches.value : undefined,
      glowing: this.glowing,
      now,
      stageLabel: s.stageDone,
    };
    this.painter.paint(scene, changed);
    if (this.glowing.size) this.again();
  }
}
