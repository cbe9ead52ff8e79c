import { describe, expect, it } from "vitest";
import { fileMeant, filesOf, markOf } from "../../src/results/files";
import { isShownAsPicture } from "../../src/results/kind";
import { movedBy } from "../../src/results/moves";

const PATHS = ["report.md", "charts/a b.png", "charts/100%.png", "deep/er/note.md", "deep/pic.png", "q?.png"];
const FILES = new Map(
  PATHS.map((path) => [path, { path, mediaType: "image/png", size: 1, digest: "0".repeat(64) }]),
);
const meant = (from: string, address: string) => fileMeant(FILES, from, address)?.path;

describe("an address in a document", () => {
  it.each([
    ["report.md", "charts/a%20b.png", "charts/a b.png"],
    ["report.md", "charts/a b.png", "charts/a b.png"],
    ["report.md", "./charts/../charts/a b.png", "charts/a b.png"],
    ["report.md", "charts/100%.png", "charts/100%.png"],
    ["report.md", "charts/a%20b.png?raw=1#part", "charts/a b.png"],
    ["report.md", "q?.png", "q?.png"],
    ["deep/er/note.md", "../pic.png", "deep/pic.png"],
    ["deep/er/note.md", "../../report.md", "report.md"],
    ["deep/er/note.md", "note.md", "deep/er/note.md"],
  ])("of %s, %s, means %s", (from, address, path) => {
    expect(meant(from, address)).toBe(path);
  });

  it.each([
    "https://evil.example/charts/a b.png",
    "//evil.example/report.md",
    "/report.md",
    "\\\\evil.example\\report.md",
    "javascript:report.md",
    "data:image/png,report.md",
    "../report.md",
    "charts/../../report.md",
    "../../../api/v1/plans",
    "missing.png",
    "charts",
    "%ff",
    "",
    "#part",
  ])("%j means no file of the result", (address) => {
    expect(meant("report.md", address)).toBeUndefined();
  });
});

describe("the list of files", () => {
  it("is read as the door tells it, where what is zero or empty is left out", () => {
    const told = filesOf({
      main: "a",
      files: [{ path: "a", sizeBytes: "12", mediaType: "text/csv", digest: "d" }, { path: "b" }],
    });
    expect(told.files).toEqual([
      { path: "a", size: 12, mediaType: "text/csv", digest: "d" },
      { path: "b", size: 0, mediaType: "", digest: "" },
    ]);
    expect(filesOf({}).files).toEqual([]);
  });

  it.each([
    ["image/png", "IMG"],
    ["image/svg+xml", "SVG"],
    ["text/markdown", "MD"],
    ["text/csv", "CSV"],
    ["text/tab-separated-values", "TSV"],
    ["text/html", "</>"],
    ["application/zip", "BIN"],
    ["__proto__", "BIN"],
    ["", "BIN"],
  ])("marks %j as %s", (mediaType, mark) => {
    expect(markOf(mediaType)).toBe(mark);
  });

  it.each([
    ["ArrowDown", 0, 1],
    ["ArrowDown", 9, 9],
    ["ArrowDown", -1, 0],
    ["ArrowUp", 0, 0],
    ["ArrowUp", -1, 0],
    ["PageDown", 0, 8],
    ["PageDown", 5, 9],
    ["Home", 5, 0],
    ["End", 5, 9],
    ["a", 5, undefined],
  ])("%s leads from %i to %s", (key, from, to) => {
    expect(movedBy(key, from, 10)).toBe(to);
  });
});

it("gives the browser no picture to decode that is too large, and nothing that is none", () => {
  expect(isShownAsPicture("image/png", 1000)).toBe(true);
  expect(isShownAsPicture("image/svg+xml", 1000)).toBe(true);
  expect(isShownAsPicture("image/png", 1024 ** 3)).toBe(false);
  expect(isShownAsPicture("text/html", 1000)).toBe(false);
});
