import { describe, expect, it } from "vitest";
import { gridOfFields, gridOfJson, orderedRows, widthsOf } from "../../src/results/grid";
import { isDrawing, isText, kindOf } from "../../src/results/kind";
import { rowAt, rowsOf } from "../../src/results/rows";
import { separated } from "../../src/results/separated";
import { shownOf } from "../../src/results/shown";
import { BATCH, isRounded, type Json, openAtFirst, treeRows } from "../../src/results/tree";

const content = (text: string, total = text.length) => ({ text, isText: true, shown: text.length, total });

describe("kinds", () => {
  it.each([
    ["text/markdown; charset=utf-8", "markdown"],
    ["TEXT/CSV", "separated"],
    ["application/json", "json"],
    ["application/geo+json", "json"],
    ["image/svg+xml", "drawing"],
    ["image/tiff", "unknown"],
    ["text/html", "code"],
    ["", "unknown"],
    [undefined, "unknown"],
  ])("%s is %s", (mediaType, kind) => {
    expect(kindOf(mediaType)).toBe(kind);
  });

  it("tells text from other bytes", () => {
    expect(isText(new TextEncoder().encode("grüße"))).toBe(true);
    expect(isText(new Uint8Array([0x89, 0x50, 0x4e, 0x47]))).toBe(false);
    expect(isText(new Uint8Array([65, 0, 66]))).toBe(false);
  });
});

describe("drawings", () => {
  it.each([
    ["<svg/>", true],
    ['\ufeff <?xml version="1.0"?>\n<!-- <b> --><!DOCTYPE svg [<!ENTITY x "y">]>\n<svg xmlns="x">', true],
    ["<!DOCTYPE svg PUBLIC 'a' 'b'><svg>", true],
    ["<svgx>", false],
    ["<html><svg></svg></html>", false],
    ["<!-- without an end <svg>", false],
    ["<?".repeat(100_000), false],
    ["", false],
  ])("%#", (text, is) => {
    expect(isDrawing(text)).toBe(is);
  });

  it("are shown as pictures and as their source, also when a plan that asked for SVG got XML", () => {
    for (const type of ["image/svg+xml", "application/xml", "text/xml; charset=utf-8"])
      expect(shownOf(content("<svg></svg>"), type).views).toEqual(["picture", "source"]);
    for (const type of ["text/html", "text/plain", "text/markdown"])
      expect(shownOf(content("<svg></svg>"), type).views).not.toContain("picture");
    expect(shownOf(content("<feed></feed>"), "application/xml").views).toEqual(["source"]);
    expect(shownOf(content("<svg></svg>", 999), "image/svg+xml")).toMatchObject({
      views: ["source"],
      isTooLarge: true,
    });
  });
});

describe("rows of a text", () => {
  const texts = (text: string, columns: number) =>
    rowsOf(text, columns).map(({ from, to, line }) => [line, text.slice(from, to)]);

  it("number lines, and break long ones", () => {
    expect(texts("ab\n0123456789\n", 8)).toEqual([
      [1, "ab"],
      [2, "01234567"],
      [undefined, "89"],
    ]);
  });

  it("break between words", () => {
    expect(texts("some words of it", 12).map(([, text]) => text)).toEqual(["some words ", "of it"]);
  });

  it("give wide characters two columns, and cut none in two", () => {
    expect(texts("火星有两颗", 8)).toEqual([
      [1, "火星有两"],
      [undefined, "颗"],
    ]);
    expect(rowsOf("😀".repeat(100), 9).every(({ from }) => from % 2 === 0)).toBe(true);
  });

  it("lose no character of a line of a million", () => {
    const text = "x".repeat(1_000_000);
    const rows = rowsOf(text, 100);
    expect(rows).toHaveLength(10_000);
    expect(rowAt(rows, 123_456)).toBe(1234);
  });

  it("has one row for an empty text", () => {
    expect(texts("", 80)).toEqual([[1, ""]]);
  });
});

describe("separated values", () => {
  it.each([
    [
      "a,b\n1,2\n",
      "",
      [
        ["a", "b"],
        ["1", "2"],
      ],
    ],
    [
      'a;b\r\n"1;2";"say ""hi"""\r\n',
      "",
      [
        ["a", "b"],
        ["1;2", 'say "hi"'],
      ],
    ],
    [
      'a,b\n"x\ny",2',
      "",
      [
        ["a", "b"],
        ["x\ny", "2"],
      ],
    ],
    [
      'a\tb,c\n1\t"2"3',
      "text/tab-separated-values",
      [
        ["a", "b,c"],
        ["1", "23"],
      ],
    ],
    ['a,b\n"never ends', "", [["a", "b"], ["never ends"]]],
    ["", "", []],
  ])("reads %j", (text, mediaType, rows) => {
    expect(separated(text, mediaType)).toEqual(rows);
  });

  it("reads hostile ones in bounded time", () => {
    const begun = performance.now();
    separated('"'.repeat(500_000));
    separated(",".repeat(500_000));
    expect(performance.now() - begun).toBeLessThan(5000);
  });
});

describe("tables", () => {
  const grid = gridOfJson([{ n: 10, t: "b" }, { n: 9, t: "a", x: null }, { t: "c" }])!;

  it("are made of arrays of objects, with all of their keys", () => {
    expect(grid.columns).toEqual(["n", "t", "x"]);
    expect(gridOfJson({ title: "t", papers: [{ a: 1 }] })?.columns).toEqual(["a"]);
    expect(gridOfJson([1, 2])).toBeUndefined();
    expect(gridOfJson({ a: [{}], b: [{}] })).toBeUndefined();
    expect(gridOfJson([])).toBeUndefined();
  });

  it("take a key such as __proto__ as a key", () => {
    const hostile = JSON.parse('[{"__proto__": {"x": 1}, "constructor": 2}]') as Json;
    expect(gridOfJson(hostile)?.columns).toEqual(["__proto__", "constructor"]);
  });

  it("are ordered by number or by text, and empty cells come last", () => {
    expect(orderedRows(grid, { column: 0, isDown: false })).toEqual([1, 0, 2]);
    expect(orderedRows(grid, { column: 0, isDown: true })).toEqual([0, 1, 2]);
    expect(orderedRows(grid, { column: 1, isDown: false })).toEqual([1, 0, 2]);
    expect(orderedRows(grid, undefined)).toEqual([0, 1, 2]);
  });

  it("have a column for the longest row, and widths within bounds", () => {
    const fields = gridOfFields([["a"], ["1", "x".repeat(1000)]]);
    expect(fields.columns).toEqual(["a", ""]);
    expect(widthsOf(fields)).toEqual([6, 48]);
  });
});

describe("trees", () => {
  it("show what is open", () => {
    const value = { a: [1, { b: 2 }], "c/d": "x" };
    const rows = treeRows(value, openAtFirst(value));
    expect(rows.map(({ depth, key }) => [depth, key])).toEqual([
      [0, undefined],
      [1, "a"],
      [2, 0],
      [2, 1],
      [3, "b"],
      [1, "c/d"],
    ]);
    expect(rows.at(-1)?.path).toBe("/c~1d");
  });

  it("show a long list in batches", () => {
    const value = Array.from({ length: 2 * BATCH }, (_, n) => n);
    const rows = treeRows(value, new Map([["", BATCH]]));
    expect(rows).toHaveLength(BATCH + 2);
    expect(rows.at(-1)?.more).toBe(BATCH);
  });

  it("bear a depth of 100,000", () => {
    const value = JSON.parse("[".repeat(100_000) + "]".repeat(100_000)) as Json;
    expect(treeRows(value, openAtFirst(value)).length).toBeLessThan(100);
  });

  it("tell of numbers that no double holds", () => {
    expect(isRounded(JSON.parse("12345678901234567890"))).toBe(true);
    expect(isRounded(12.5)).toBe(false);
  });
});

describe("views", () => {
  it.each([
    ["text/markdown", "# a", ["markdown", "source"]],
    ["text/csv", "a,b\n1,2", ["table", "source"]],
    ["text/csv", "only one column\nand that", ["source"]],
    ["application/json", '[{"a": 1}]', ["table", "tree", "source"]],
    ["application/json", "{}", ["tree", "source"]],
    ["application/jsonl", '{"a": 1}\n{"a": 2}\n', ["table", "tree", "source"]],
    ["application/json", "{broken", ["source"]],
    ["text/html", "<script>", ["source"]],
  ])("of %s %j", (mediaType, text, views) => {
    expect(shownOf(content(text), mediaType).views).toEqual(views);
  });

  it("tell why broken JSON has no tree, and that a large one is too large", () => {
    expect(shownOf(content("{broken"), "application/json").fault).toBeTruthy();
    expect(shownOf(content("[1", 60_000_000), "application/json").isTooLarge).toBe(true);
  });

  it("leave the last row of a cut table out", () => {
    expect(shownOf(content("a,b\n1,2\n3,", 100), "text/csv").grid?.rows).toEqual([["1", "2"]]);
  });

  it("offer no view of bytes that are no text", () => {
    expect(shownOf({ text: "", isText: false, shown: 1, total: 1 }, "application/pdf").views).toEqual([]);
  });
});
