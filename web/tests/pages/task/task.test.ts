import { describe, expect, it } from "vitest";
import { boundsOf, budgetCommand, isBound } from "../../../src/pages/task/Actions";
import { attemptToShow } from "../../../src/pages/task/data";
import { sumOf } from "../../../src/pages/task/map";
import { messagesOf } from "../../../src/pages/task/Prompts";
import { checkText } from "../../../src/pages/task/Spec";
import { joined } from "../../../src/pages/task/thinking";

describe("thinking", () => {
  it.each([
    ["", "abc", "abc"],
    ["abc", "", "abc"],
    ["The task is clear", "The task is clear", "The task is clear"],
    ["The task is clear", "The task is clear. Now", "The task is clear. Now"],
    [
      `${"x".repeat(100)}the seam of the two`,
      "the seam of the two and on",
      `${"x".repeat(100)}the seam of the two and on`,
    ],
    ["one", "two", "one … two"],
  ])("%j and %j meet", (known, live, text) => {
    expect(joined(known, live)).toBe(text);
  });

  it("is bounded", () => {
    let text = "";
    for (let n = 0; n < 100; n++) text = joined(text, `${n} `.repeat(2000));
    expect(text.length).toBeLessThanOrEqual(256 * 1024);
  });
});

describe("budgets", () => {
  it.each(["", "0", "12", "0.5", "1.000000001"])("%j is a bound", (text) => {
    expect(isBound(text)).toBe(true);
  });

  it.each(["-1", "1e9", "a", "1.0000000001", "1,5"])("%j is none", (text) => {
    expect(isBound(text)).toBe(false);
  });

  it("are sent without rounding", () => {
    expect(boundsOf("1000", "0.1")).toEqual({ tokens: "1000", costNanos: "100000000" });
    expect(boundsOf("", "123456789.123456789")).toEqual({ costNanos: "123456789123456789" });
    expect(boundsOf(" ", "")).toEqual({});
  });

  it("have an equal command", () => {
    expect(budgetCommand("e1", "2_1", "1000", "0.5")).toBe("signoff budget e1 2_1 --tokens 1000 --cost 0.5");
    expect(budgetCommand("e1", "2_1", "", "")).toBe("signoff budget e1 2_1 --unlimited");
  });
});

describe("prompts", () => {
  it("are messages", () => {
    expect(messagesOf('[{"role": "user", "content": "a"}]')).toEqual([{ role: "user", content: "a" }]);
    expect(messagesOf('{"messages": [{"role": "system", "content": [1]}]}')).toEqual([
      { role: "system", content: "[\n  1\n]" },
    ]);
  });

  it.each(["no JSON", "[]", "{}", "null"])("that are none are shown as they are: %s", (text) => {
    expect(messagesOf(text)).toEqual([{ role: "", content: text }]);
  });
});

describe("a task", () => {
  it("shows its last candidate, else its last attempt", () => {
    expect(attemptToShow([{ attempt: 1, candidate: {} }, { attempt: 2 }])).toBe(1);
    expect(attemptToShow([{ attempt: 1 }, { attempt: 2 }])).toBe(2);
    expect(attemptToShow([])).toBe(0);
  });

  it("adds up what it and others have cost, estimates too, and no totals of the run", () => {
    const records = [
      { task_id: "1", input_tokens: 10, output_tokens: 5, cost_nanos: 7, currency: "USD" },
      { task_id: "2", estimated_input_tokens: 3, estimated_cost_nanos: 2, currency: "USD" },
      { task_id: "3", input_tokens: 100 },
      { input_tokens: 118 },
    ];
    expect(sumOf(records, new Set(["1", "2"]))).toEqual({ tokens: 18, nanos: 9, currency: "USD" });
  });

  it("tells its checks by name and settings", () => {
    expect(checkText({ length: { minChars: "10" } })).toBe("length minChars: 10");
    expect(checkText({ contains: { phrases: ["Mars"] }, criterion: 3 })).toBe(
      'contains phrases: ["Mars"] (criterion 3)',
    );
    expect(checkText({ image: { minWidth: 600 }, file: "charts/*.png" })).toBe(
      "charts/*.png: image minWidth: 600",
    );
    expect(checkText({ archiveSafe: {}, file: "all.zip" })).toBe("all.zip: archiveSafe");
    expect(
      checkText({ table: { columns: [{ name: "sum", type: "COLUMN_TYPE_NUMBER" }], minRows: "3" } }),
    ).toBe('table columns: [{"name":"sum","type":"COLUMN_TYPE_NUMBER"}] minRows: 3');
  });
});
