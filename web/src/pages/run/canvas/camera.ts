// The part of the world that the canvas shows. Screen = (world − origin) × scale.
import type { Rectangle } from "../model/quadtree";

export type Camera = { readonly x: number; readonly y: number; readonly scale: number };
export type Size = { readonly width: number; readonly height: number };

export const LEAST = 0.04;
export const MOST = 2.5;
const STILL_READABLE = 0.5; // a map that needs less to be seen whole begins at its first corner instead
const READABLE = 0.66;
const MARGIN = 24;

/** Shows all of the bounds, in the middle. */
export function whole(bounds: Rectangle, view: Size, head = 0): Camera {
  const room = { width: view.width - 2 * MARGIN, height: view.height - 2 * MARGIN - head };
  const scale = clamp(Math.min(room.width / bounds.width, room.height / bounds.height), LEAST, 1);
  return {
    x: bounds.x - (view.width / scale - bounds.width) / 2,
    y: bounds.y - head / scale - (view.height / scale - head / scale - bounds.height) / 2,
    scale,
  };
}

/** Where a view begins: whole when that is readable, else readable from the first corner. */
export function begin(bounds: Rectangle, view: Size, head = 0): Camera {
  const all = whole(bounds, view, head);
  if (all.scale >= STILL_READABLE) return all;
  return { x: bounds.x - MARGIN / READABLE, y: bounds.y - (head + MARGIN) / READABLE, scale: READABLE };
}

/** Zooms by a factor, with the point of the screen kept in its place. */
export function zoom(camera: Camera, factor: number, at: { x: number; y: number }): Camera {
  const scale = clamp(camera.scale * factor, LEAST, MOST);
  return {
    x: camera.x + at.x / camera.scale - at.x / scale,
    y: camera.y + at.y / camera.scale - at.y / scale,
    scale,
  };
}

export function pan(camera: Camera, dx: number, dy: number): Camera {
  return { ...camera, x: camera.x - dx / camera.scale, y: camera.y - dy / camera.scale };
}

export function toScreen(camera: Camera, area: Rectangle): Rectangle {
  return {
    x: (area.x - camera.x) * camera.scale,
    y: (area.y - camera.y) * camera.scale,
    width: area.width * camera.scale,
    height: area.height * camera.scale,
  };
}

export function toWorld(camera: Camera, x: number, y: number): { x: number; y: number } {
  return { x: x / camera.scale + camera.x, y: y / camera.scale + camera.y };
}

/** The part of the world in view. */
export function viewed(camera: Camera, view: Size): Rectangle {
  return { x: camera.x, y: camera.y, width: view.width / camera.scale, height: view.height / camera.scale };
}

/** Moves as little as brings the area into view. */
export function reveal(camera: Camera, area: Rectangle, view: Size, head = 0): Camera {
  const seen = toScreen(camera, area);
  const dx = outside(seen.x, seen.x + seen.width, MARGIN, view.width - MARGIN);
  const dy = outside(seen.y, seen.y + seen.height, MARGIN + head, view.height - MARGIN);
  return dx || dy ? pan(camera, -dx, -dy) : camera;
}

function outside(low: number, high: number, from: number, to: number): number {
  if (low < from) return low - from;
  return high > to ? Math.min(high - to, low - from) : 0;
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}
