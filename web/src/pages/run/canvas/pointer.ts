// Fingers, mouse and wheel on a canvas: they move the camera, and point at nodes.
import { type Camera, pan, zoom } from "./camera";

export type PointerTarget = {
  readonly camera: () => Camera;
  readonly move: (camera: Camera) => void;
  readonly hover: (x: number, y: number) => void;
  readonly leave: () => void;
  readonly press: (x: number, y: number) => void;
};

const STILL = 5; // pixels that a press may wander and still be a press

/** Listens until what is returned is called. */
export function listenToPointer(canvas: HTMLElement, target: PointerTarget): () => void {
  const held = new Map<number, { x: number; y: number }>();
  let wandered = 0;
  const place = (event: MouseEvent) => {
    const box = canvas.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };
  const down = (event: PointerEvent) => {
    canvas.setPointerCapture(event.pointerId);
    if (held.size === 0) wandered = 0;
    held.set(event.pointerId, place(event));
  };
  const moved = (event: PointerEvent) => {
    const now = place(event);
    const before = held.get(event.pointerId);
    if (!before) {
      target.hover(now.x, now.y);
      return;
    }
    wandered += Math.hypot(now.x - before.x, now.y - before.y);
    const other = [...held].find(([id]) => id !== event.pointerId)?.[1];
    if (other) target.move(pinched(target.camera(), before, now, other));
    else if (wandered > STILL) target.move(pan(target.camera(), now.x - before.x, now.y - before.y));
    held.set(event.pointerId, now);
  };
  const up = (event: PointerEvent) => {
    const now = place(event);
    if (held.delete(event.pointerId) && held.size === 0 && wandered <= STILL) target.press(now.x, now.y);
  };
  const wheel = (event: WheelEvent) => {
    event.preventDefault();
    const step = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1;
    const camera = target.camera();
    if (event.ctrlKey || event.metaKey)
      target.move(zoom(camera, Math.exp(-event.deltaY * step * 0.0022), place(event)));
    else if (event.shiftKey) target.move(pan(camera, -(event.deltaX || event.deltaY) * step, 0));
    else target.move(pan(camera, -event.deltaX * step, -event.deltaY * step));
  };
  const control = new AbortController();
  const options = { signal: control.signal };
  canvas.addEventListener("pointerdown", down, options);
  canvas.addEventListener("pointermove", moved, options);
  canvas.addEventListener("pointerup", up, options);
  canvas.addEventListener("pointercancel", (event) => held.delete(event.pointerId), options);
  canvas.addEventListener("pointerleave", target.leave, options);
  canvas.addEventListener("wheel", wheel, { ...options, passive: false });
  return () => control.abort();
}

type Point = { x: number; y: number };

function pinched(camera: Camera, before: Point, now: Point, other: Point): Camera {
  const far = (a: Point, b: Point) => Math.max(1, Math.hypot(a.x - b.x, a.y - b.y));
  const middle = { x: (now.x + other.x) / 2, y: (now.y + other.y) / 2 };
  const moved = pan(camera, (now.x - before.x) / 2, (now.y - before.y) / 2);
  return zoom(moved, far(now, other) / far(before, other), middle);
}
