import { describe, expect, it } from "vitest";
import { rowsOf, topFor } from "../../src/ui/rows";

describe("the rows of a list that are in the document", () => {
  it.each([
    ["at the beginning", { from: 0, to: 10 }, 1000, [0, 18]],
    ["in the middle", { from: 100, to: 110 }, 1000, [92, 118]],
    ["at the end", { from: 990, to: 1000 }, 1000, [982, 1000]],
    ["of a list that became shorter", { from: 990, to: 1000 }, 20, [12, 20]],
    ["of a short list", { from: 0, to: 10 }, 3, [0, 3]],
  ] as const)("are those in view and some around them, %s", (_, span, count, [first, end]) => {
    const rows = rowsOf(span, count);
    expect([rows[0], rows.at(-1)! + 1]).toEqual([first, end]);
    expect(rows).toHaveLength(end - first);
  });

  it("are none of an empty list", () => expect(rowsOf({ from: 5, to: 9 }, 0)).toEqual([]));
});

describe("the current row", () => {
  const view = { head: 30, rowHeight: 20, height: 230 }; // ten rows below a head that stays

  it.each([
    ["stays where it is in view", 7, 100, 100],
    ["comes from above to below the head", 2, 100, 40],
    ["comes from below to the bottom", 20, 100, 220],
    ["is the first", 0, 500, 0],
  ])("%s", (_, row, from, top) => expect(topFor(row, { ...view, from })).toBe(top));

  it("is at the top of a box that is lower than a row", () =>
    expect(topFor(5, { ...view, height: 10, from: 0 })).toBe(100));
});
