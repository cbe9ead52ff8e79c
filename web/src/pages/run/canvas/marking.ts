// The mark of a status on the canvas: the same shapes and letters as in the document.
import type { Status } from "../../../store";
import { LETTERS, SHAPES } from "../../../ui";
import { PERSON_SHAPE } from "../../../ui/marks";
import type { Palette } from "./palette";

const paths = new Map<string, Path2D>();

export function mark(
  context: CanvasRenderingContext2D,
  palette: Palette,
  { status, awaiting }: { status: number; awaiting: boolean },
  { x, y, size }: { x: number; y: number; size: number },
): void {
  const shape = awaiting ? PERSON_SHAPE : SHAPES[status as Status];
  const colour = awaiting ? palette.person : palette.status[status]!;
  const before = context.getTransform();
  context.translate(x, y);
  context.scale(size / 16, size / 16);
  if (status <= 1) {
    context.strokeStyle = colour;
    context.lineWidth = 1.6;
    context.stroke(path(shape));
  } else {
    context.fillStyle = colour;
    context.fill(path(shape));
  }
  if (!awaiting && size >= 8.5) letter(context, palette, status as Status, colour);
  context.setTransform(before);
}

function letter(context: CanvasRenderingContext2D, palette: Palette, status: Status, colour: string): void {
  context.fillStyle = status <= 1 ? colour : palette.surface;
  context.font = `700 8.5px ${palette.font}`;
  context.textAlign = "center";
  context.textBaseline = "alphabetic";
  context.fillText(LETTERS[status], 8, status === 6 ? 12.8 : 11.2);
}

function path(shape: string): Path2D {
  const known = paths.get(shape);
  if (known) return known;
  const made = new Path2D(shape);
  paths.set(shape, made);
  return made;
}
