import { describe, expect, it } from "vitest";
import { piecesOf, visible } from "../../src/ui/visible";

describe("visible text", () => {
  it("leaves ordinary text as it is", () => {
    const text = "Grüße,\n\t你好 👩‍🚀 \u{1F1E9}\u{1F1EA} مرحبا\r\nend";
    expect(visible(text)).toBe(text);
  });

  it.each([
    ["\u0000", "⟨U+0000⟩"],
    ["\u001b[31m", "⟨U+001B⟩[31m"],
    ["a\rb", "a⟨U+000D⟩b"],
    ["\u202eevil", "⟨U+202E⟩evil"],
    ["\u2066x\u2069", "⟨U+2066⟩x⟨U+2069⟩"],
    ["a\u200bb", "a⟨U+200B⟩b"],
    ["a\u200db", "a⟨U+200D⟩b"],
    ["\ufeffx", "⟨U+FEFF⟩x"],
    ["\u{E0041}", "⟨U+E0041⟩"],
    ["\ud800", "⟨U+D800⟩"],
    ["\ufffe\ufdd0", "⟨U+FFFE⟩⟨U+FDD0⟩"],
    ["\u{1fffe}\u{10ffff}", "⟨U+1FFFE⟩⟨U+10FFFF⟩"],
  ])("shows what hides in %j", (text, shown) => {
    expect(visible(text)).toBe(shown);
  });

  it("tells hidden characters from text that looks like them", () => {
    expect(piecesOf("⟨U+0000⟩")).toEqual([{ text: "⟨U+0000⟩", hidden: false }]);
    expect(piecesOf("a\u0000")).toEqual([
      { text: "a", hidden: false },
      { text: "⟨U+0000⟩", hidden: true },
    ]);
  });
});
