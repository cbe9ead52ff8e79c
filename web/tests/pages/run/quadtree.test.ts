import { describe, expect, it } from "vitest";
import { Quadtree, type Rectangle } from "../../../src/pages/run/model/quadtree";

/** Returns numbers that look drawn by lot, the same each time. */
function drawn(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1664525 + 1013904223) % 4294967296;
    return state / 4294967296;
  };
}

describe("the quadtree", () => {
  it("finds what a look at everything finds", () => {
    const next = drawn(7);
    const size = 1000;
    const all: Rectangle[] = Array.from({ length: 2000 }, () => ({
      x: next() * size,
      y: next() * size,
      width: next() * 30,
      height: next() * 30,
    }));
    const tree = new Quadtree({ x: 0, y: 0, width: size + 30, height: size + 30 }, all);
    for (let tries = 0; tries < 200; tries += 1) {
      const area = { x: next() * size, y: next() * size, width: next() * 100, height: next() * 100 };
      const touching = all.filter(
        (one) =>
          one.x <= area.x + area.width &&
          area.x <= one.x + one.width &&
          one.y <= area.y + area.height &&
          area.y <= one.y + one.height,
      );
      expect(new Set(tree.within(area))).toEqual(new Set(touching));
    }
  });

  it("takes many entries in one place", () => {
    const same = Array.from({ length: 500 }, () => ({ x: 5, y: 5, width: 1, height: 1 }));
    const tree = new Quadtree({ x: 0, y: 0, width: 100, height: 100 }, same);
    expect(tree.within({ x: 0, y: 0, width: 10, height: 10 })).toHaveLength(500);
    expect(tree.at(50, 50)).toBeUndefined();
  });
});
