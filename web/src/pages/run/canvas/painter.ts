// Draws a drawing's part in view. Three levels of detail: far (coloured blocks), middle (mark and id), near (all).
//
// Boxes and edges change with the camera and the selection alone: they are drawn once onto a sheet of their own. A frame of
// a running execution draws the changed nodes anew, each on its part of that sheet, and leaves all else as it is.
import type { ExecutionFold } from "../../../store";
import type { Drawing, DrawnBox, DrawnEdge, DrawnNode } from "../model/drawing";
import type { Filter } from "../model/filter";
import type { Rectangle } from "../model/quadtree";
import { type Camera, type Size, toScreen, viewed } from "./camera";
import { mark } from "./marking";
import type { Palette } from "./palette";
import { tallyOf } from "./tally";
import { fitted } from "./text";

export const HEAD = 30; // pixels of the stages' names above the drawing
const FAR = 0.3;
const NAMED = 0.42; // from here on boxes have their names
const NEAR = 0.62;
const MOST_FAR_EDGES = 6000; // in the far level, more than these are a grey cloud: none is drawn but the selected
const GLOW = 700; // milliseconds that a node shines after it changed

export type Scene = {
  readonly drawing: Drawing;
  readonly fold: ExecutionFold;
  readonly camera: Camera;
  readonly size: Size;
  readonly ratio: number;
  readonly palette: Palette;
  readonly selectedId: string;
  readonly hovered: DrawnNode | undefined;
  readonly filter: Filter;
  /** Undefined: no filter is on. */
  readonly matches: ((n: number) => boolean) | undefined;
  /** When nodes changed, by `performance.now()`. */
  readonly glowing: ReadonlyMap<DrawnNode, number>;
  readonly now: number;
  readonly stageLabel: (stage: number, done: number, all: number) => string;
};

export class Painter {
  private readonly sheet = document.createElement("canvas");
  private sheetKey: readonly unknown[] = [];
  private key: readonly unknown[] = [];

  constructor(private readonly canvas: HTMLCanvasElement) {}

  /** Draws the scene. When nothing but nodes changed since the last time, only `changed` is drawn anew. */
  paint(scene: Scene, changed: ReadonlySet<DrawnNode>): void {
    fitTo(this.canvas, scene);
    const context = this.canvas.getContext("2d", { alpha: false });
    if (!context) return;
    this.paintSheet(scene);
    const key = [...this.sheetKey, scene.hovered, scene.filter];
    if (isSame(key, this.key)) this.paintSome(context, scene, changed);
    else this.paintAll(context, scene);
    this.key = key;
    paintHead(context, scene);
  }

  private paintAll(context: CanvasRenderingContext2D, scene: Scene): void {
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.drawImage(this.sheet, 0, 0);
    context.setTransform(scene.ratio, 0, 0, scene.ratio, 0, 0);
    for (const node of scene.drawing.find.within(viewed(scene.camera, scene.size)))
      paintNode(context, scene, node);
  }

  private paintSome(context: CanvasRenderingContext2D, scene: Scene, changed: ReadonlySet<DrawnNode>): void {
    for (const node of changed) {
      const area = toScreen(scene.camera, node);
      if (!isSeen(area, scene.size)) continue;
      this.wipe(context, scene, area);
      context.setTransform(scene.ratio, 0, 0, scene.ratio, 0, 0);
      paintNode(context, scene, node);
    }
    context.setTransform(scene.ratio, 0, 0, scene.ratio, 0, 0);
  }

  /** Puts back what lies below a node, with the width of its glow around it. */
  private wipe(context: CanvasRenderingContext2D, { ratio, camera }: Scene, area: Rectangle): void {
    const margin = 2 + 3 * camera.scale;
    const left = Math.max(0, Math.floor((area.x - margin) * ratio));
    const top = Math.max(0, Math.floor((area.y - margin) * ratio));
    const width = Math.min(this.sheet.width, Math.ceil((area.x + area.width + margin) * ratio)) - left;
    const height = Math.min(this.sheet.height, Math.ceil((area.y + area.height + margin) * ratio)) - top;
    if (width <= 0 || height <= 0) return;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.drawImage(this.sheet, left, top, width, height, left, top, width, height);
  }

  private paintSheet(scene: Scene): void {
    const { camera, size, ratio, palette, drawing, selectedId } = scene;
    const key = [camera, size.width, size.height, ratio, palette, drawing, selectedId];
    if (isSame(key, this.sheetKey)) return;
    this.sheetKey = key;
    fitTo(this.sheet, scene);
    const context = this.sheet.getContext("2d", { alpha: false });
    if (!context) return;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.fillStyle = palette.bg;
    context.fillRect(0, 0, size.width, size.height);
    paintBoxes(context, scene);
    paintEdges(context, scene);
  }
}

function isSame(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((value, n) => value === b[n]);
}

function fitTo(canvas: HTMLCanvasElement, { size, ratio }: Scene): void {
  const [width, height] = [Math.round(size.width * ratio), Math.round(size.height * ratio)];
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
}

function paintBoxes(context: CanvasRenderingContext2D, scene: Scene): void {
  const { camera, palette, drawing, size } = scene;
  for (const box of drawing.boxes) {
    const area = toScreen(camera, box);
    if (!isSeen(area, size)) continue;
    context.beginPath();
    context.roundRect(area.x, area.y, area.width, area.height, Math.min(10, 10 * camera.scale + 2));
    context.fillStyle =
      box.depth % 2 === 0 ? withAlpha(palette.lineStrong, 0.1) : withAlpha(palette.lineStrong, 0.14);
    context.fill();
    context.strokeStyle = box.id === scene.selectedId ? palette.accent : palette.line;
    context.lineWidth = box.id === scene.selectedId ? 2 : 1;
    context.stroke();
    if (camera.scale >= NAMED) boxLabel(context, scene, area, box);
  }
}

/** The name of a box stands on its upper edge; of one that may begin in the same cell as another, on its lower edge. */
function boxLabel(
  context: CanvasRenderingContext2D,
  { palette, camera }: Scene,
  area: Rectangle,
  box: DrawnBox,
): void {
  const size = Math.max(8.5, Math.min(11, 11 * camera.scale));
  const y = box.depth % 2 === 0 ? area.y : area.y + area.height;
  context.font = `600 ${size}px ${palette.font}`;
  const label = fitted(context, `${box.id}  ${box.description}`, area.width - 20);
  const width = context.measureText(label).width;
  context.fillStyle = palette.bg;
  context.fillRect(area.x + 6, y - size / 2 - 1, width + 8, size + 2);
  context.fillStyle = palette.muted;
  context.textBaseline = "middle";
  context.textAlign = "left";
  context.fillText(label, area.x + 10, y);
}

function paintEdges(context: CanvasRenderingContext2D, scene: Scene): void {
  const { drawing, palette, camera, selectedId } = scene;
  const isFar = camera.scale < FAR;
  const isSelected = (edge: DrawnEdge) =>
    selectedId !== "" && (edge.fromId === selectedId || edge.toId === selectedId);
  const seen = drawing.edges.filter((edge) => isEdgeSeen(edge, scene));
  const ordinary = isFar && seen.length > MOST_FAR_EDGES ? [] : seen.filter((edge) => !isSelected(edge));
  const strokeAll = (edges: readonly DrawnEdge[], dashed: boolean, colour: string, width: number) => {
    context.beginPath();
    for (const edge of edges) trace(context, camera, edge);
    context.setLineDash(dashed ? [5, 4] : []);
    context.strokeStyle = colour;
    context.lineWidth = width;
    context.stroke();
    context.setLineDash([]);
  };
  const width = isFar ? 0.6 : Math.min(1.5, 1.3 * camera.scale + 0.4);
  const strength = selectedId ? 0.45 : 0.8;
  strokeAll(
    ordinary.filter((edge) => edge.long),
    false,
    withAlpha(palette.lineStrong, strength * 0.45),
    width,
  );
  strokeAll(
    ordinary.filter((edge) => !edge.long && !edge.data),
    false,
    withAlpha(palette.lineStrong, strength),
    width,
  );
  strokeAll(
    ordinary.filter((edge) => !edge.long && edge.data),
    true,
    withAlpha(palette.lineStrong, strength),
    width,
  );
  strokeAll(
    seen.filter((edge) => isSelected(edge) && !edge.data),
    false,
    palette.accent,
    width + 0.8,
  );
  strokeAll(
    seen.filter((edge) => isSelected(edge) && edge.data),
    true,
    palette.accent,
    width + 0.8,
  );
  if (!isFar)
    for (const edge of [...ordinary, ...seen.filter(isSelected)])
      arrow(context, scene, edge, isSelected(edge));
}

function isEdgeSeen({ from, to }: DrawnEdge, { camera, size }: Scene): boolean {
  const left = Math.min(from.x, to.x);
  const top = Math.min(from.y, to.y);
  const world = {
    x: left,
    y: top,
    width: Math.max(from.x + from.width, to.x + to.width) - left,
    height: Math.max(from.y + from.height, to.y + to.height) - top,
  };
  return isSeen(toScreen(camera, world), size);
}

function isSeen(area: Rectangle, size: Size): boolean {
  return area.x < size.width && area.y < size.height && area.x + area.width > 0 && area.y + area.height > 0;
}

function trace(context: CanvasRenderingContext2D, camera: Camera, edge: DrawnEdge): void {
  const { x1, y1, x2, y2, bend } = curve(camera, edge);
  context.moveTo(x1, y1);
  context.bezierCurveTo(x1 + bend, y1, x2 - bend, y2, x2, y2);
}

function curve(camera: Camera, { from, to }: DrawnEdge) {
  const [a, b] = [toScreen(camera, from), toScreen(camera, to)];
  const [x1, y1] = [a.x + a.width, anchor(a, b)];
  const [x2, y2] = [b.x, anchor(b, a)];
  return { x1, y1, x2, y2, bend: Math.max(Math.abs(x2 - x1) * 0.45, 14 * camera.scale) };
}

/** A node is left in its middle; a tall box as near to the other end as its side reaches. */
function anchor(area: Rectangle, other: Rectangle): number {
  const reach = Math.max(0, area.height / 2 - 26);
  const middle = area.y + area.height / 2;
  return Math.min(middle + reach, Math.max(middle - reach, other.y + other.height / 2));
}

function arrow(
  context: CanvasRenderingContext2D,
  { camera, palette }: Scene,
  edge: DrawnEdge,
  selected: boolean,
): void {
  const { x2, y2 } = curve(camera, edge);
  const size = Math.max(3, 6 * camera.scale);
  context.fillStyle = selected ? palette.accent : palette.lineStrong;
  context.beginPath();
  context.moveTo(x2, y2);
  context.lineTo(x2 - size, y2 - size * 0.55);
  context.lineTo(x2 - size, y2 + size * 0.55);
  context.fill();
}

function paintNode(context: CanvasRenderingContext2D, scene: Scene, node: DrawnNode): void {
  const { camera, palette, fold, matches } = scene;
  const area = toScreen(camera, node);
  const { counts, status, awaiting } = tallyOf(node, fold);
  context.globalAlpha = matches && !node.tasks.some(matches) ? 0.3 : 1;
  if (camera.scale < FAR)
    farNode(context, scene, area, awaiting ? palette.person : palette.status[status]!, status === 1);
  else {
    nearGround(
      context,
      scene,
      node,
      area,
      awaiting ? palette.personSoft : palette.soft[status]!,
      awaiting ? palette.person : palette.status[status]!,
    );
    if (node.tasks.length > 1) bar(context, scene, area, counts);
    label(context, scene, node, area, { status, awaiting });
  }
  context.globalAlpha = 1;
}

function farNode(
  context: CanvasRenderingContext2D,
  { palette }: Scene,
  area: Rectangle,
  colour: string,
  isUndone: boolean,
): void {
  const [width, height] = [Math.max(area.width, 2), Math.max(area.height, 1.5)];
  context.fillStyle = isUndone ? palette.lineStrong : colour;
  context.fillRect(area.x, area.y, width, height);
}

function nearGround(
  context: CanvasRenderingContext2D,
  scene: Scene,
  node: DrawnNode,
  area: Rectangle,
  ground: string,
  colour: string,
): void {
  const { palette, camera, glowing, now } = scene;
  const radius = 7 * camera.scale;
  const changed = glowing.get(node);
  if (changed !== undefined && now - changed < GLOW) {
    const left = 1 - (now - changed) / GLOW;
    context.strokeStyle = withAlpha(colour, 0.65 * left);
    context.lineWidth = 2 + 6 * left * camera.scale;
    context.beginPath();
    context.roundRect(area.x, area.y, area.width, area.height, radius);
    context.stroke();
  }
  context.beginPath();
  context.roundRect(area.x, area.y, area.width, area.height, radius);
  context.fillStyle = palette.surface;
  context.fill();
  context.fillStyle = ground;
  context.fill();
  context.strokeStyle = node === scene.hovered ? palette.muted : withAlpha(colour, 0.55);
  context.lineWidth = 1;
  context.stroke();
}

/** The statuses of a class, as parts of a bar at the node's foot. */
function bar(
  context: CanvasRenderingContext2D,
  { palette, camera }: Scene,
  area: Rectangle,
  counts: readonly number[],
): void {
  const total = counts.reduce((sum, n) => sum + n, 0);
  const [left, width] = [area.x + 8 * camera.scale, area.width - 16 * camera.scale];
  const [top, height] = [area.y + area.height - 7 * camera.scale, 3.5 * camera.scale];
  let x = left;
  for (const status of [4, 3, 2, 5, 6, 1] as const) {
    const part = (width * counts[status]!) / total;
    context.fillStyle = status === 1 ? palette.line : palette.status[status]!;
    context.fillRect(x, top, part, height);
    x += part;
  }
}

type State = { status: number; awaiting: boolean };

function label(
  context: CanvasRenderingContext2D,
  scene: Scene,
  node: DrawnNode,
  area: Rectangle,
  state: State,
): void {
  const { camera, palette, fold } = scene;
  const isNear = camera.scale >= NEAR;
  const k = camera.scale;
  const middle = isNear ? area.y + 14.5 * k : area.y + area.height / 2;
  const size = (isNear ? 16 : 20) * k;
  mark(context, palette, state, { x: area.x + 9 * k, y: middle - size / 2, size });
  const left = area.x + 9 * k + size + 6 * k;
  const extra = node.tasks.length > 1 ? `×${node.tasks.length}` : attempts(node, fold);
  context.textBaseline = "middle";
  const room = area.x + area.width - left - 9 * k - (extra ? 26 * k : 0);
  context.textAlign = "left";
  context.fillStyle = palette.text;
  context.font = `650 ${(isNear ? 12.5 : 19) * k}px ${palette.font}`;
  context.fillText(fitted(context, node.id, room), left, middle);
  if (extra) {
    context.textAlign = "right";
    context.fillStyle = palette.muted;
    context.font = `600 ${(isNear ? 11 : 16) * k}px ${palette.font}`;
    context.fillText(extra, area.x + area.width - 9 * k, middle);
  }
  if (isNear) description(context, scene, node, area);
}

function attempts(node: DrawnNode, fold: ExecutionFold): string {
  const attempt = fold.attempt[node.tasks[0] ?? 0] ?? 0;
  return attempt > 1 ? `#${attempt}` : "";
}

function description(
  context: CanvasRenderingContext2D,
  { camera, palette }: Scene,
  node: DrawnNode,
  area: Rectangle,
): void {
  const k = camera.scale;
  const isClass = node.tasks.length > 1;
  context.font = `400 ${11 * k}px ${palette.font}`;
  context.textAlign = "left";
  context.fillStyle = palette.muted;
  context.fillText(
    fitted(context, node.description, area.width - 18 * k),
    area.x + 9 * k,
    area.y + area.height - (isClass ? 15.5 : 13) * k,
  );
}

/** The stages' names, above the drawing wherever it is. */
function paintHead(context: CanvasRenderingContext2D, scene: Scene): void {
  const { palette, size, camera, drawing } = scene;
  context.fillStyle = withAlpha(palette.surface, 0.94);
  context.fillRect(0, 0, size.width, HEAD);
  context.fillStyle = palette.line;
  context.fillRect(0, HEAD - 1, size.width, 1);
  context.textBaseline = "middle";
  context.textAlign = "left";
  context.font = `600 12px ${palette.font}`;
  let free = 0;
  for (const [stage, tasks] of stagesOf(drawing)) {
    const column = drawing.columns.find((one) => one.stage === stage)!;
    const x = (column.x - camera.x) * camera.scale;
    if (x < free || x > size.width || x + column.width * camera.scale < 0) continue;
    const done = tasks.reduce((sum, n) => sum + (scene.fold.status[n] === 4 ? 1 : 0), 0);
    const long = scene.stageLabel(stage, done, tasks.length);
    const step = (drawing.columns[1]?.x ?? 0) - (drawing.columns[0]?.x ?? 0) || column.width;
    const text =
      context.measureText(long).width < step * camera.scale - 8 ? long : `${stage} · ${done}/${tasks.length}`;
    context.fillStyle = done === tasks.length ? palette.status[4]! : palette.muted;
    context.fillText(text, x, HEAD / 2);
    free = x + context.measureText(text).width + 14;
  }
}

const stages = new WeakMap<Drawing, Map<number, number[]>>();

function stagesOf(drawing: Drawing): Map<number, number[]> {
  const known = stages.get(drawing);
  if (known) return known;
  const made = new Map(drawing.columns.map(({ stage }) => [stage, []] as [number, number[]]));
  for (const { column, tasks } of drawing.nodes) made.get(column)?.push(...tasks);
  stages.set(drawing, made);
  return made;
}

const alphas = new Map<string, string>();

function withAlpha(colour: string, alpha: number): string {
  const key = `${colour}${Math.round(alpha * 100)}`;
  const known = alphas.get(key);
  if (known) return known;
  const made = /^#[0-9a-f]{6}$/i.test(colour)
    ? colour +
      Math.round(alpha * 255)
        .toString(16)
        .padStart(2, "0")
    : colour;
  alphas.set(key, made);
  return made;
}
