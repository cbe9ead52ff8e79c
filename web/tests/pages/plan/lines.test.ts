import { describe, expect, it } from "vitest";
import { Lines, unitsOf } from "../../../src/pages/plan/lines";

const TEXT = 'one\r\ntwo\n\n𝒙 = "4"\n';

describe("the lines of a text", () => {
  const lines = new Lines(TEXT);

  it("are counted with the empty one at the end, and come without their ends", () => {
    expect(lines.count).toBe(5);
    expect([1, 2, 3, 4, 5, 6].map((n) => lines.line(n))).toEqual(["one", "two", "", '𝒙 = "4"', "", ""]);
  });

  it("lead from a place to an offset and back, also behind characters of two units", () => {
    for (const [line, column] of [
      [1, 1],
      [1, 4],
      [2, 3],
      [3, 1],
      [4, 2],
      [4, 6],
      [5, 1],
    ] as const) {
      expect(lines.placeOf(lines.offsetOf(line, column))).toEqual({ line, column });
    }
    expect(TEXT.slice(lines.offsetOf(4, 5), lines.offsetOf(4, 8))).toBe('"4"');
  });

  it("find the line of every offset as counting does", () => {
    for (let at = 0; at <= TEXT.length; at += 1)
      expect(lines.lineAt(at)).toBe(TEXT.slice(0, at).split("\n").length);
  });

  it("end where the text ends", () => {
    expect(lines.offsetOf(99, 9)).toBe(lines.offsetOf(5));
    expect(unitsOf("ab", 9)).toBe(2);
  });
});
