// The part of the time line that is in view, and how wheel, fingers and keys move it.

export const ROW = 26;
export const AXIS = 30;
export const NAMES = 110;
const NAMES_AND_DESCRIPTIONS = 290;
const MOST_ZOOM = 400;

/** `top` pixels are scrolled away above, `offset` to the left; at zoom 1 all of the time is in view. */
export type TimeView = {
  readonly width: number;
  readonly height: number;
  readonly top: number;
  readonly zoom: number;
  readonly offset: number;
};

export const WHOLE: TimeView = { width: 0, height: 0, top: 0, zoom: 1, offset: 0 };

/** The pixels of the tasks' names; with their descriptions where there is room for them. */
export function labels(view: { readonly width: number }): number {
  return view.width > 860 ? NAMES_AND_DESCRIPTIONS : NAMES;
}

/** Moves by pixels, as far as there is something to see. */
export function moved(view: TimeView, dx: number, dy: number, rows: number): TimeView {
  return bounded({ ...view, top: view.top + dy, offset: view.offset + dx }, rows);
}

/** Zooms the time by a factor, with the moment at `x` kept in its place. */
export function zoomed(view: TimeView, factor: number, x: number, rows: number): TimeView {
  const zoom = Math.min(MOST_ZOOM, Math.max(1, view.zoom * factor));
  const from = x - labels(view);
  return bounded({ ...view, zoom, offset: ((from + view.offset) * zoom) / view.zoom - from }, rows);
}

/** Moves as little as brings a row into view. */
export function revealed(view: TimeView, row: number): TimeView {
  const y = row * ROW;
  const lowest = y + ROW + AXIS - view.height;
  if (y < view.top) return { ...view, top: y };
  return lowest > view.top ? { ...view, top: lowest } : view;
}

export function rowAt(view: TimeView, y: number): number | undefined {
  return y < AXIS ? undefined : Math.floor((y - AXIS + view.top) / ROW);
}

function bounded(view: TimeView, rows: number): TimeView {
  const mostTop = Math.max(0, rows * ROW + AXIS + 12 - view.height);
  const mostOffset = Math.max(0, (view.width - labels(view)) * (view.zoom - 1));
  return { ...view, top: between(view.top, mostTop), offset: between(view.offset, mostOffset) };
}

function between(value: number, most: number): number {
  return Math.min(most, Math.max(0, value));
}
