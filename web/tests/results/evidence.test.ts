import { describe, expect, it } from "vitest";
import { passagesIn, quotesIn } from "../../src/results/evidence";

function found(text: string, reason: string): string[] {
  return passagesIn(text, [{ mark: 0, quotes: quotesIn(reason) }]).map(({ from, to }) =>
    text.slice(from, to),
  );
}

describe("quotes in a reason", () => {
  it.each([
    ['says "two moons" twice', ["two moons"]],
    ["(evidence: “# The title”)", ["# The title"]],
    ["„Mond“ und «lune» 「月の石」", ["Mond", "lune", "月の石"]],
    ["it's the dog's own: 'the dog's bone' here", ["the dog's bone"]],
    ["the key `max_tokens` is missing", ["max_tokens"]],
    ['it has "the first … the last"', ["the first", "the last"]],
    ['"a" is too short, and "unfinished', []],
    ["nothing is quoted", []],
  ])("%s", (reason, quotes) => {
    expect(quotesIn(reason)).toEqual(quotes);
  });

  it("are few, and found in bounded time", () => {
    expect(quotesIn('"abcd" '.repeat(1000))).toHaveLength(1);
    const begun = performance.now();
    quotesIn(`"${"'".repeat(8000)}`);
    expect(performance.now() - begun).toBeLessThan(2000);
  });
});

describe("passages of a candidate", () => {
  it.each([
    ["case", "Two MOONS of Mars", 'it says "two moons"', ["Two MOONS"]],
    ["white space", "two\n   moons", 'it says "two moons"', ["two\n   moons"]],
    ["quotation marks", "she said ‘go home’ then", "has \"said 'go home'\"", ["said ‘go home’"]],
    ["emphasis", "it **scales** well", 'has "it scales well"', ["it **scales** well"]],
    [
      "headings and bullets",
      "## Result\n\n- Mars\n- Venus",
      '"Result Mars Venus"',
      ["Result\n\n- Mars\n- Venus"],
    ],
    ["dashes", "1990—1995", '"1990-1995"', ["1990—1995"]],
    ["every place", "Mars and mars", '"Mars"', ["Mars", "mars"]],
    ["Chinese", "火星有两颗卫星。", "「两颗卫星」", ["两颗卫星"]],
    ["what is not there", "Venus", '"Mars"', []],
  ])("are found folded: %s", (_, text, reason, passages) => {
    expect(found(text, reason)).toEqual(passages);
  });

  it("that lie across each other are parted, and known to all that quote them", () => {
    const passages = passagesIn("one two three", [
      { mark: 0, quotes: ["one two"] },
      { mark: 1, quotes: ["two three"] },
      { mark: 2, quotes: ["one two"] },
    ]);
    expect(passages).toEqual([
      { from: 0, to: 4, marks: [0, 2] },
      { from: 4, to: 7, marks: [0, 2, 1] },
      { from: 7, to: 13, marks: [1] },
    ]);
  });
});
