import { describe, expect, it } from "vitest";
import { begin, reveal, toScreen, toWorld, whole, zoom } from "../../../src/pages/run/canvas/camera";

const view = { width: 800, height: 600 };

describe("the camera", () => {
  it("shows all of a drawing, below the head", () => {
    const bounds = { x: -20, y: 0, width: 4000, height: 1000 };
    const seen = toScreen(whole(bounds, view, 30), bounds);
    expect(seen.x).toBeGreaterThanOrEqual(0);
    expect(seen.y).toBeGreaterThanOrEqual(30);
    expect(seen.x + seen.width).toBeLessThanOrEqual(800);
    expect(seen.y + seen.height).toBeLessThanOrEqual(600);
  });

  it("begins readable at the first corner of what is too large", () => {
    const bounds = { x: 0, y: 0, width: 100_000, height: 100_000 };
    const camera = begin(bounds, view, 30);
    expect(camera.scale).toBeGreaterThan(0.5);
    expect(toScreen(camera, bounds).x).toBeGreaterThan(0);
  });

  it("zooms around the pointer", () => {
    const before = { x: 10, y: 20, scale: 0.5 };
    const after = zoom(before, 1.7, { x: 300, y: 200 });
    expect(toWorld(after, 300, 200).x).toBeCloseTo(toWorld(before, 300, 200).x);
    expect(toWorld(after, 300, 200).y).toBeCloseTo(toWorld(before, 300, 200).y);
  });

  it("moves no further than it must to show a node", () => {
    const camera = { x: 0, y: 0, scale: 1 };
    expect(reveal(camera, { x: 100, y: 100, width: 50, height: 50 }, view)).toBe(camera);
    const moved = reveal(camera, { x: 1000, y: 100, width: 50, height: 50 }, view);
    const seen = toScreen(moved, { x: 1000, y: 100, width: 50, height: 50 });
    expect(seen.x + seen.width).toBeLessThanOrEqual(800);
    expect(moved.y).toBe(0);
  });
});
