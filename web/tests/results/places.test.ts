import { describe, expect, it } from "vitest";
import { quotesIn } from "../../src/results/evidence";
import { cellText, gridOfFields, gridOfJson } from "../../src/results/grid";
import {
  cellKey,
  placesInGrid,
  placesInTree,
  rowOfKey,
  rowText,
  waysTo,
  within,
} from "../../src/results/places";
import { separated, separatorIn } from "../../src/results/separated";
import type { Json } from "../../src/results/tree";

const quoted = (...reasons: string[]) => reasons.map((reason, mark) => ({ mark, quotes: quotesIn(reason) }));
const CSV = 'planet,moons,remark\nMars,2,"red, with ""ice"""\nEarth,1,blue\nVenus,0,\n';

/** What is marked of a table, as "row column text"; the names of the columns are row -1. */
function inTable(text: string, reason: string, mediaType = "text/csv"): string[] {
  const grid = gridOfFields(separated(text, mediaType), separatorIn(text, mediaType));
  return [...placesInGrid(grid, quoted(reason)).at].flatMap(([key, passages]) => {
    const [row, column] = [rowOfKey(grid, key), key % grid.columns.length];
    expect(cellKey(grid, row, column)).toBe(key);
    const cell = row < 0 ? grid.columns[column]! : cellText(grid.rows[row]![column]);
    return passages.map(({ from, to }) => `${row} ${column} ${cell.slice(from, to)}`);
  });
}

describe("evidence in a table", () => {
  it("is marked in its cell, also a part of it, and the name of a column", () => {
    expect(inTable(CSV, 'says "Earth"')).toEqual(["1 0 Earth"]);
    expect(inTable(CSV, 'it has “with "ice"” there')).toEqual(['0 2 with "ice"']);
    expect(inTable(CSV, "the column `moons`")).toEqual(["-1 1 moons"]);
  });

  it("may be a line of the source, with or without its quotation marks", () => {
    expect(inTable(CSV, "see `Earth,1,blue`")).toEqual(["1 0 Earth", "1 1 1", "1 2 blue"]);
    expect(inTable(CSV, 'see `Mars,2,"red, with ""ice"""`')).toEqual([
      "0 0 Mars",
      "0 1 2",
      '0 2 red, with "ice"',
    ]);
    expect(inTable("a\tb\nx y\tz\n", "see `x y\tz`", "text/tab-separated-values")).toEqual([
      "0 0 x y",
      "0 1 z",
    ]);
    expect(inTable("a;b\nx y;z\n", "see `x y;z`")).toEqual(["0 0 x y", "0 1 z"]);
  });

  it("knows which results it belongs to, and leads from one to the next in order", () => {
    const grid = gridOfJson([{ name: "Mars" }, { name: "Venus" }, { name: "Mars" }])!;
    const { order, marks } = placesInGrid(grid, quoted('"Venus"', "nothing", 'twice "Mars"'));
    expect(order.map(({ key, marks: of }) => [rowOfKey(grid, key), of])).toEqual([
      [0, [2]],
      [1, [0]],
      [2, [2]],
    ]);
    expect([...marks].sort()).toEqual([0, 2]);
  });

  it("is sought in bounded time in a large one", () => {
    const rows = Array.from({ length: 100_000 }, (_, n) => [`row ${n}`, "x".repeat(40)]);
    const begun = performance.now();
    const { at } = placesInGrid(gridOfFields([["a", "b"], ...rows]), quoted('"row 777"'));
    expect(at.size).toBeGreaterThan(0);
    expect(performance.now() - begun).toBeLessThan(4000);
  });
});

describe("evidence in a tree", () => {
  const value: Json = {
    title: "Moons",
    "a/b": [{ name: "Phobos", far: 9376 }, { name: "Deimos" }],
    none: null,
  };

  function inTree(reason: string): string[] {
    return [...placesInTree(value, quoted(reason)).at].flatMap(([path, passages]) => {
      const last = waysTo(value, path).length ? path.split("/").at(-1)! : undefined;
      const named = last && /^\d+$/.test(last) ? Number(last) : last?.replace("~1", "/");
      const text = rowText(named, valueAt(path));
      return passages.map(({ from, to }) => `${path} ${text.slice(from, to)}`);
    });
  }

  function valueAt(path: string): Json {
    let now: Json = value;
    for (const { entry } of waysTo(value, path))
      now = (Array.isArray(now) ? now[entry] : Object.values(now as object)[entry]) as Json;
    return now;
  }

  it("is marked in names and values", () => {
    expect(inTree('the moon "Deimos"')).toEqual(["/a~1b/1/name Deimos"]);
    expect(inTree("it says `9376`")).toEqual(["/a~1b/0/far 9376"]);
    expect(inTree("the key `title`")).toEqual(["/title title"]);
    expect(inTree('the entry `"name": "Phobos"`')).toEqual(["/a~1b/0/name name: Phobos"]);
  });

  it("leads down to where it is", () => {
    expect(waysTo(value, "/a~1b/1/name")).toEqual([
      { path: "", entry: 1 },
      { path: "/a~1b", entry: 1 },
      { path: "/a~1b/1", entry: 0 },
    ]);
    expect(waysTo(value, "")).toEqual([]);
  });

  it("is no deeper than what can be walked", () => {
    let deep: Json = "the bottom";
    for (let n = 0; n < 2000; n++) deep = [deep];
    expect(placesInTree(deep, quoted('"the bottom"')).at.size).toBe(1);
  });
});

it("a passage is cut to the part of a text that it lies in", () => {
  expect(within([{ from: 2, to: 9, marks: [0] }], 4, 8)).toEqual([{ from: 0, to: 4, marks: [0] }]);
  expect(within([{ from: 2, to: 4, marks: [0] }], 4, 8)).toEqual([]);
});
