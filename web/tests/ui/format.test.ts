import { describe, expect, it } from "vitest";
import { commandLine } from "../../src/ui/CommandChip";
import { duration, milliseconds, money, percent, short, size } from "../../src/ui/format";

describe("formats", () => {
  it.each([
    [400, "0.4 s"],
    [12_000, "12 s"],
    [185_000, "3 min 05 s"],
    [7_620_000, "2 h 07 min"],
    [273_600_000, "3 d 04 h"],
    [-1, ""],
  ])("%d ms is %s", (ms, told) => {
    expect(duration(ms)).toBe(told);
  });

  it("tell sizes, money and shares", () => {
    expect([size(812), size("4096"), size(1_258_291)]).toEqual(["812 B", "4.0 KiB", "1.2 MiB"]);
    expect([money(12_300_000, "USD"), money(0), money(1_500_000_000, "EUR")]).toEqual([
      "0.0123 USD",
      "0.00",
      "1.50 EUR",
    ]);
    expect([short(980), short(12_345), short(4_500_000)]).toEqual(["980", "12.3k", "4.5M"]);
    expect([percent(1, 3), percent(0, 0)]).toEqual(["33 %", "0 %"]);
    expect([milliseconds("3.5s"), milliseconds(undefined)]).toEqual([3500, undefined]);
  });

  it("quote command lines for a shell", () => {
    expect(commandLine("signoff", "pause", "ab12", "--reason", "it's late")).toBe(
      "signoff pause ab12 --reason 'it'\\''s late'",
    );
  });
});
