import { describe, expect, it } from "vitest";
import {
  AXIS,
  labels,
  moved,
  ROW,
  revealed,
  rowAt,
  WHOLE,
  zoomed,
} from "../../../src/pages/run/canvas/time-view";

const view = { ...WHOLE, width: 1200, height: 400 };

describe("the view of the time line", () => {
  it("moves no further than there are rows and time", () => {
    expect(moved(view, -50, -50, 100)).toMatchObject({ top: 0, offset: 0 });
    expect(moved(view, 0, 1e6, 100).top).toBe(100 * ROW + AXIS + 12 - 400);
    expect(moved(view, 0, 50, 3).top).toBe(0);
  });

  it("zooms around a moment, and back to the whole", () => {
    const near = zoomed(view, 4, 700, 10);
    const before = (700 - labels(view) + view.offset) / view.zoom;
    expect((700 - labels(view) + near.offset) / near.zoom).toBeCloseTo(before);
    expect(zoomed(near, 0, 0, 10)).toMatchObject({ zoom: 1, offset: 0 });
  });

  it("brings a row into view with the smallest move", () => {
    expect(revealed(view, 2)).toBe(view);
    const below = revealed(view, 50);
    expect(rowAt(below, 399)).toBe(50);
    expect(revealed(below, 0).top).toBe(0);
  });

  it("has no row on its axis", () => {
    expect(rowAt(view, AXIS - 1)).toBeUndefined();
    expect(rowAt(view, AXIS)).toBe(0);
  });
});
