// Draws the time line's rows in view.

import type { Wait } from "../../../store";
import { format, hatch, waitLabel } from "../../../ui";
import type { Lanes, Span } from "../model/lanes";
import type { RunState } from "../state";
import { mark } from "./marking";
import type { Palette } from "./palette";
import { tally } from "./tally";
import { fitted } from "./text";
import { AXIS, labels, NAMES, ROW, type TimeView } from "./time-view";

const RIGHT = 16; // pixels free at the end of the axis

type Picture = {
  lanes: Lanes;
  rows: readonly number[];
  state: RunState;
  view: TimeView;
  palette: Palette;
  now: number;
};
type Scale = { x: (at: number) => number; perPixel: number; from: number; to: number };

function scaleOf(lanes: Lanes, view: TimeView, now: number): Scale {
  const from = Number.isFinite(lanes.first) ? lanes.first : now - 1000;
  const all = Math.max(1000, now - from);
  const width = Math.max(1, view.width - labels(view) - RIGHT) * view.zoom;
  const x = (at: number) => labels(view) + ((at - from) / all) * width - view.offset;
  const perPixel = all / width;
  return {
    x,
    perPixel,
    from: from + view.offset * perPixel,
    to: from + (view.offset + view.width - labels(view)) * perPixel,
  };
}

/** Returns the work or the wait at a place of a task's row. */
export function spanAt(
  lanes: Lanes,
  view: TimeView,
  id: string,
  x: number,
  now: number,
): Span | Wait | undefined {
  if (x < labels(view)) return undefined;
  const scale = scaleOf(lanes, view, now);
  const isThere = ({ start, end }: Span | Wait) => x >= scale.x(start) - 2 && x <= scale.x(end || now) + 2;
  return lanes.spans.get(id)?.findLast(isThere) ?? lanes.waitsOf(id, now).findLast(isThere);
}

export function paintLanes(canvas: HTMLCanvasElement, picture: Picture): void {
  const { view, palette, rows } = picture;
  const ratio = devicePixelRatio || 1;
  const [width, height] = [Math.round(view.width * ratio), Math.round(view.height * ratio)];
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  const context = canvas.getContext("2d", { alpha: false });
  if (!context) return;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.fillStyle = palette.surface;
  context.fillRect(0, 0, view.width, view.height);
  const scale = scaleOf(picture.lanes, view, picture.now);
  ticks(context, picture, scale);
  const first = Math.max(0, Math.floor(view.top / ROW));
  const last = Math.min(rows.length, Math.ceil((view.top + view.height) / ROW));
  for (let row = first; row < last; row += 1)
    lane(context, picture, scale, rows[row]!, AXIS + row * ROW - view.top);
  axis(context, picture, scale);
}

function lane(context: CanvasRenderingContext2D, picture: Picture, scale: Scale, n: number, y: number): void {
  const { state, palette, lanes, view } = picture;
  const id = state.model.ids[n]!;
  if (state.selected.peek() === id) {
    context.fillStyle = `${palette.accent}22`;
    context.fillRect(0, y, view.width, ROW);
  }
  context.save();
  context.beginPath();
  context.rect(labels(view), y, view.width - labels(view), ROW);
  context.clip();
  for (const wait of lanes.waitsOf(id, picture.now)) gap(context, picture, scale, wait, y);
  for (const span of lanes.spans.get(id) ?? []) bar(context, picture, scale, span, y);
  context.restore();
  const { status, awaiting } = tally([n], state.store.fold);
  mark(context, palette, { status, awaiting }, { x: 12, y: y + ROW / 2 - 6.5, size: 13 });
  context.font = `600 12px ${palette.font}`;
  context.fillStyle = palette.text;
  context.textAlign = "left";
  context.textBaseline = "middle";
  const name = fitted(context, id, 70);
  context.fillText(name, 32, y + ROW / 2 + 0.5);
  if (labels(view) > NAMES) describe(context, picture, id, y);
  context.fillStyle = `${palette.line}88`;
  context.fillRect(0, y + ROW - 1, view.width, 1);
}

function describe(
  context: CanvasRenderingContext2D,
  { state, palette, view }: Picture,
  id: string,
  y: number,
): void {
  context.font = `400 11.5px ${palette.font}`;
  context.fillStyle = palette.muted;
  context.fillText(
    fitted(context, state.model.byId.get(id)?.description ?? "", labels(view) - 112),
    104,
    y + ROW / 2 + 0.5,
  );
}

const LEAST_GAP = 2; // pixels: a wait that is no longer is not to be seen

/** A wait: hollow and hatched, with what it was for where that has room. */
function gap(
  context: CanvasRenderingContext2D,
  { palette, view, now }: Picture,
  scale: Scale,
  wait: Wait,
  y: number,
): void {
  const x = Math.max(scale.x(wait.start), labels(view) - 1);
  const width = Math.min(scale.x(wait.end || now), view.width + 1) - x;
  if (width < LEAST_GAP) return;
  hatch(context, { x, y: y + 8, width, height: ROW - 17 }, palette.muted);
  context.font = `400 11px ${palette.font}`;
  const words = waitLabel(wait.what);
  const room = context.measureText(words).width + 8;
  if (room + 12 > width) return;
  context.fillStyle = palette.surface;
  context.fillRect(x + (width - room) / 2, y + 5, room, ROW - 11);
  context.fillStyle = palette.muted;
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.fillText(words, x + width / 2, y + ROW / 2 - 0.5);
}

const COLOUR: Readonly<Record<Span["phase"], number>> = { execute: 2, validate: 3, person: 0 };

function bar(
  context: CanvasRenderingContext2D,
  { palette, now }: Picture,
  scale: Scale,
  span: Span,
  y: number,
): void {
  const x = scale.x(span.start);
  const width = Math.max(2, scale.x(span.end || now) - x);
  if (span.end && span.end < scale.from) return;
  const colour = span.phase === "person" ? palette.person : palette.status[COLOUR[span.phase]]!;
  const isBad = span.ending === "failed" || span.ending === "rejected";
  const [top, height] = span.phase === "execute" ? [y + 5, ROW - 11] : [y + 8, ROW - 17];
  context.globalAlpha = span.ending === "lost" || span.ending === "unclear" ? 0.4 : 1;
  context.fillStyle = colour;
  context.beginPath();
  context.roundRect(x, top, width, height, Math.min(3, width / 2));
  context.fill();
  context.globalAlpha = 1;
  if (isBad) cross(context, palette.status[span.ending === "failed" ? 5 : 6]!, x + width, y + ROW / 2);
  if (span.ending === "passed" && span.phase !== "person")
    check(context, palette.status[4]!, x + width, y + ROW / 2);
}

function cross(context: CanvasRenderingContext2D, colour: string, x: number, y: number): void {
  context.strokeStyle = colour;
  context.lineWidth = 2.2;
  context.beginPath();
  context.moveTo(x - 4, y - 4);
  context.lineTo(x + 4, y + 4);
  context.moveTo(x + 4, y - 4);
  context.lineTo(x - 4, y + 4);
  context.stroke();
}

function check(context: CanvasRenderingContext2D, colour: string, x: number, y: number): void {
  context.strokeStyle = colour;
  context.lineWidth = 2.2;
  context.beginPath();
  context.moveTo(x - 3, y);
  context.lineTo(x, y + 3.5);
  context.lineTo(x + 6, y - 4.5);
  context.stroke();
}

const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21600, 43200, 86400].map(
  (n) => n * 1000,
);

function stepOf(scale: Scale): number {
  return STEPS.find((step) => step / scale.perPixel >= 90) ?? 86_400_000;
}

function ticks(context: CanvasRenderingContext2D, { palette, view }: Picture, scale: Scale): void {
  const step = stepOf(scale);
  context.fillStyle = `${palette.line}99`;
  for (let at = Math.ceil(scale.from / step) * step; at <= scale.to; at += step) {
    context.fillRect(Math.round(scale.x(at)), AXIS, 1, view.height);
  }
}

function axis(context: CanvasRenderingContext2D, { palette, view }: Picture, scale: Scale): void {
  context.fillStyle = palette.surface;
  context.fillRect(0, 0, view.width, AXIS);
  context.fillStyle = palette.line;
  context.fillRect(0, AXIS - 1, view.width, 1);
  context.fillRect(labels(view) - 1, 0, 1, view.height);
  context.fillStyle = palette.muted;
  context.font = `500 11px ${palette.font}`;
  context.textAlign = "center";
  context.textBaseline = "middle";
  const step = stepOf(scale);
  for (let at = Math.ceil(scale.from / step) * step; at <= scale.to; at += step) {
    const x = scale.x(at);
    if (x > labels(view) + 30 && x < view.width - 30) context.fillText(format.clockTime(at), x, AXIS / 2);
  }
}
