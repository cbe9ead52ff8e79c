import { describe, expect, it } from "vitest";
import type { PlacedDiagnostic } from "../../../src/api";
import { countLevels, hiddenIn, marksOf } from "../../../src/pages/plan/found";
import { Lines } from "../../../src/pages/plan/lines";

const error: PlacedDiagnostic = {
  severity: "SEVERITY_ERROR",
  message: "wrong",
  line: 2,
  column: 3,
  endLine: 2,
  endColumn: 5,
};
const warning: PlacedDiagnostic = { severity: "SEVERITY_WARNING", message: "odd", line: 2, column: 1 };

describe("what there is to say about a plan", () => {
  const lines = new Lines("{\n  abc\n}");

  it("stands beside its line: the worst first, and all of it", () => {
    const marks = marksOf([warning, error], lines);
    expect([...marks]).toEqual([[2, { level: "error", from: 3, to: 5, text: "odd  ·  wrong" }]]);
  });

  it("reaches to the end of the line when its end is on another", () => {
    expect(marksOf([{ ...error, endLine: 3 }], lines).get(2)).toMatchObject({ from: 3, to: 6 });
  });

  it("is left out beside lines that are not there", () => {
    expect(marksOf([{ ...error, line: 9 }, { message: "of the whole plan" }], lines).size).toBe(0);
  });

  it("is counted by level", () => {
    expect(countLevels([error, warning, warning])).toEqual({ errors: 1, warnings: 2 });
  });

  it("tells of characters that hide, with their line and column", () => {
    const found = hiddenIn(new Lines('{\n "a": "\u202ecba\u202c",\n "𝒙\u{E0041}\u200b": 1}'));
    expect(found.map(({ line, column, severity }) => [line, column, severity])).toEqual([
      [2, 8, "SEVERITY_WARNING"],
      [3, 4, "SEVERITY_WARNING"],
    ]);
    expect(found[0]!.message).toContain("U+202E");
  });
});
