import { describe, expect, it } from "vitest";
import { meaningOf } from "../../../src/pages/workers/Canaries";
import { wilson } from "../../../src/pages/workers/wilson";

describe("what canaries say", () => {
  it.each([
    [2, 40, 0.014, 0.165], // as docs/how-to/canaries.md has it
    [1, 41, 0.004, 0.126],
    [0, 30, 0, 0.114],
    [0, 100, 0, 0.037],
    [0, 1000, 0, 0.004],
  ])("%i of %i: the interval of the documentation", (part, whole, low, high) => {
    const [least, most] = wilson(part, whole);
    expect(least).toBeCloseTo(low, 3);
    expect(most).toBeCloseTo(high, 3);
  });

  it("is symmetric, and open without any cases", () => {
    expect(wilson(0, 0)).toEqual([0, 1]);
    const [low, high] = wilson(3, 10);
    const [other, another] = wilson(7, 10);
    expect(low).toBeCloseTo(1 - another);
    expect(high).toBeCloseTo(1 - other);
  });

  it("is told in a sentence, with its worth", () => {
    expect(meaningOf(2, 40, 1, 41)).toBe(
      "Of all bad candidates it likely accepts 0.4 % to 13 %; of all good ones it likely rejects 1.4 % to 17 %. A rough picture.",
    );
    expect(meaningOf(0, 0, 0, 7)).toContain("no good canary was judged");
    expect(meaningOf(0, 0, 0, 7)).toContain("too few to rely on");
    expect(meaningOf(0, 500, 0, 500)).toContain("Enough");
  });
});
