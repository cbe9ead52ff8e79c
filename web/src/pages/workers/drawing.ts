// The lanes on a canvas. Only what is in view is drawn.
import { format, hatch } from "../../ui";
import { type Ending, type Lane, type Work, waitedSince } from "./lanes";

export const ROW = 20;
export const HEAD = 24;
const GAP = 10; // between two workers
const BAR = 15;
const LEAST_WAIT = 2; // pixels: a wait that is no longer is not to be seen

export type Placed = { readonly lane: Lane; readonly top: number; readonly height: number };

/** Returns where each worker's rows are, and the height of all of them. */
export function placed(lanes: readonly Lane[]): { places: Placed[]; height: number } {
  let top = HEAD + 8;
  const places = lanes.map((lane) => {
    const height = lane.rows * ROW + GAP;
    const place = { lane, top, height };
    top += height;
    return place;
  });
  return { places, height: top + 4 };
}

export type Frame = {
  /** Pixels of the canvas, and how far the whole is scrolled. */
  readonly width: number;
  readonly height: number;
  readonly x: number;
  readonly y: number;
  /** Pixels of the names at the left. */
  readonly names: number;
  readonly first: number;
  readonly last: number;
  readonly scale: number; // pixels a millisecond
  readonly now: number;
};

export type Colours = Readonly<Record<string, string>>;
const NAMES = [
  "text",
  "muted",
  "line",
  "surface",
  "sunken",
  "selected",
  "doing",
  "doing-soft",
  "validating",
  "validating-soft",
  "execution-failed",
  "validation-failed",
  "done",
];

export function coloursOf(element: Element): Colours {
  const style = getComputedStyle(element);
  return Object.fromEntries(NAMES.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
}

/** The letter at the end of a bar, so that an outcome is not told by colour alone. */
export const LETTERS: Readonly<Record<Ending, string>> = {
  open: "",
  made: "✓",
  passed: "✓",
  asked: "✓",
  canary: "C",
  rejected: "R",
  failed: "E",
  broke: "J",
  lost: "L",
  returned: "↩",
  away: "A",
};

export function isTrouble(ending: Ending): boolean {
  return (
    ending === "failed" ||
    ending === "rejected" ||
    ending === "broke" ||
    ending === "lost" ||
    ending === "away"
  );
}

export function draw(
  canvas: CanvasRenderingContext2D,
  places: readonly Placed[],
  frame: Frame,
  colours: Colours,
  selected: Work | undefined,
  label: (place: Placed) => string,
): void {
  canvas.clearRect(0, 0, frame.width, frame.height);
  drawAxis(canvas, frame, colours);
  canvas.save();
  canvas.beginPath();
  canvas.rect(0, HEAD, frame.width, frame.height - HEAD);
  canvas.clip();
  for (const place of places) {
    const y = place.top - frame.y;
    if (y + place.height < HEAD || y > frame.height) continue;
    for (const work of place.lane.works) drawWait(canvas, work, y, frame, colours, work === selected);
    for (const work of place.lane.works) drawWork(canvas, work, y, frame, colours, work === selected);
    drawName(canvas, place, y, frame, colours, label(place));
  }
  canvas.restore();
}

export function xOf(time: number, frame: Frame): number {
  return frame.names + (time - frame.first) * frame.scale - frame.x;
}

/**
 * The wait before work: a hollow line below the row, since the slot may have done other work meanwhile; of the selected
 * work a hatched box over the row.
 */
function drawWait(
  canvas: CanvasRenderingContext2D,
  work: Work,
  top: number,
  frame: Frame,
  colours: Colours,
  isSelected: boolean,
): void {
  const right = xOf(work.start, frame);
  const x = Math.max(xOf(waitedSince(work), frame), frame.names);
  if (right - x < LEAST_WAIT || x > frame.width) return;
  const [above, height] = isSelected ? [0, BAR] : [BAR + 1, 4];
  const y = top + work.row * ROW + above;
  const width = Math.min(right, frame.width + 1) - x;
  hatch(canvas, { x, y, width, height }, colours.muted!);
}

function drawWork(
  canvas: CanvasRenderingContext2D,
  work: Work,
  top: number,
  frame: Frame,
  colours: Colours,
  isSelected: boolean,
): void {
  const left = xOf(work.start, frame);
  const right = xOf(work.end || frame.now, frame);
  if (right < frame.names || left > frame.width) return;
  const x = Math.max(left, frame.names);
  const width = Math.max(2, right - x);
  const y = top + work.row * ROW;
  const name = work.phase === "execute" ? "doing" : "validating";
  const isBad = isTrouble(work.ending);
  canvas.fillStyle = width < 6 ? colours[name]! : colours[`${name}-soft`]!;
  canvas.fillRect(x, y, width, BAR);
  canvas.fillStyle = colours[name]!;
  canvas.fillRect(x, y, Math.min(3, width), BAR);
  if (isBad) {
    canvas.fillStyle = colours[work.ending === "rejected" ? "validation-failed" : "execution-failed"]!;
    canvas.fillRect(x, y + BAR - 3, width, 3);
  }
  if (isSelected) {
    canvas.strokeStyle = colours.selected!;
    canvas.lineWidth = 2;
    canvas.strokeRect(x - 1, y - 1, width + 2, BAR + 2);
  }
  drawWords(canvas, work, x, y, width, colours);
}

function drawWords(
  canvas: CanvasRenderingContext2D,
  work: Work,
  x: number,
  y: number,
  width: number,
  colours: Colours,
): void {
  if (width < 22) return;
  const letter = LETTERS[work.ending];
  canvas.save();
  canvas.beginPath();
  canvas.rect(x, y, width, BAR);
  canvas.clip();
  canvas.font = "600 11px ui-monospace, monospace";
  canvas.textBaseline = "middle";
  canvas.fillStyle = colours.text!;
  canvas.fillText(work.task, x + 7, y + BAR / 2 + 1);
  if (letter && width > 44 + work.task.length * 7) {
    canvas.textAlign = "right";
    canvas.fillText(letter, x + width - 4, y + BAR / 2 + 1);
  }
  canvas.restore();
}

function drawName(
  canvas: CanvasRenderingContext2D,
  place: Placed,
  y: number,
  frame: Frame,
  colours: Colours,
  label: string,
): void {
  canvas.fillStyle = colours.surface!;
  canvas.fillRect(0, y - GAP / 2, frame.names - 4, place.height);
  canvas.save();
  canvas.beginPath();
  canvas.rect(0, y - GAP / 2, frame.names - 8, place.height);
  canvas.clip();
  canvas.textBaseline = "middle";
  canvas.font = "600 12px system-ui, sans-serif";
  canvas.fillStyle = colours.text!;
  canvas.fillText(label, 10, y + BAR / 2);
  canvas.restore();
  canvas.fillStyle = colours.line!;
  canvas.fillRect(0, y + place.height - GAP / 2 - 1, frame.width, 1);
}

const STEPS = [
  100, 200, 500, 1000, 2000, 5000, 10_000, 30_000, 60_000, 120_000, 300_000, 600_000, 1_800_000, 3_600_000,
  7_200_000, 21_600_000, 86_400_000,
];

/** Returns the distance of two ticks in milliseconds: a round one, with at least so many pixels. */
export function tickOf(scale: number, least = 90): number {
  return STEPS.find((step) => step * scale >= least) ?? STEPS.at(-1)!;
}

function drawAxis(canvas: CanvasRenderingContext2D, frame: Frame, colours: Colours): void {
  const tick = tickOf(frame.scale);
  const from = frame.first + frame.x / frame.scale;
  const to = frame.first + (frame.x + frame.width - frame.names) / frame.scale;
  canvas.font = "11px system-ui, sans-serif";
  canvas.textBaseline = "middle";
  for (let at = Math.ceil(from / tick) * tick; at <= to; at += tick) {
    const x = xOf(at, frame);
    if (x < frame.names) continue;
    canvas.fillStyle = colours.line!;
    canvas.fillRect(Math.round(x), HEAD - 6, 1, frame.height);
    canvas.fillStyle = colours.muted!;
    const isFine = tick < 1000;
    canvas.fillText(
      format.clockTime(at) + (isFine ? `.${Math.floor((at % 1000) / 100)}` : ""),
      x + 4,
      HEAD / 2 - 2,
    );
  }
  canvas.fillStyle = colours.line!;
  canvas.fillRect(0, HEAD - 1, frame.width, 1);
}

/** Returns the work at a point of the canvas. */
export function workAt(places: readonly Placed[], frame: Frame, x: number, y: number): Work | undefined {
  const place = places.find(({ top, height }) => y + frame.y >= top && y + frame.y < top + height);
  if (!place || x < frame.names || y < HEAD) return undefined;
  const row = Math.floor((y + frame.y - place.top) / ROW);
  const slack = 3;
  return place.lane.works.findLast(
    (work) =>
      work.row === row &&
      x >= xOf(work.start, frame) - slack &&
      x <= xOf(work.end || frame.now, frame) + slack,
  );
}
