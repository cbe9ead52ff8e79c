// @vitest-environment jsdom
import { describe, expect, it } from "vitest";
import { decodeHTMLStrict } from "../../src/results/slim/entities";
import { P, S } from "../../src/results/slim/uc.micro";

describe("the slim parts of markdown-it", () => {
  it.each([
    ["&amp;", "&"],
    ["&lt;", "<"],
    ["&nbsp;", "\u00a0"],
    ["&CounterClockwiseContourIntegral;", "∳"],
    ["&NotThere;", "&NotThere;"],
    ["&#x41;", "A"],
    ["<b>a</b>", "<b>a</b>"],
    ["&amp", "&amp"],
  ])("decode %s", (entity, text) => {
    expect(decodeHTMLStrict(entity)).toBe(text);
    expect(decodeHTMLStrict(entity)).toBe(text);
  });

  it("know punctuation and symbols", () => {
    expect(["!", "„", "。"].every((one) => P.test(one))).toBe(true);
    expect(["+", "€", "←"].every((one) => S.test(one))).toBe(true);
    expect(P.test("a") || S.test("1")).toBe(false);
  });
});
