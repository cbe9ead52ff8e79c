import { describe, expect, it } from "vitest";
import { FIELDS, optionsOf, settingsOf, wrongIn } from "../../../src/pages/plan/settings";

const field = (name: string) => FIELDS.find((one) => one.name === name)!;

describe("the settings of an execution", () => {
  it("leave to the runner what is left empty", () => {
    expect(settingsOf({ maxFailures: " ", onFailure: "" })).toEqual({});
    expect(optionsOf({})).toEqual({ options: [], without: [] });
  });

  it("are sent in the form of the protos", () => {
    const form = {
      budgetTokens: "5000",
      budgetCost: "1.25",
      maxFailures: "4",
      canaryRate: "0",
      priority: "-2",
      retryBase: "0.5",
      onFailure: "ON_FAILURE_STOP",
    };
    expect(settingsOf(form)).toEqual({
      budget: { tokens: "5000", costNanos: "1250000000" },
      maxFailures: 4,
      canaryRate: 0,
      priority: -2,
      retryBase: "0.5s",
      onFailure: "ON_FAILURE_STOP",
    });
  });

  it("say what was expected, and what came", () => {
    expect(wrongIn(field("maxFailures"), { maxFailures: "0" })).toBe(
      'expected a whole number from 1 to 100, but got "0"',
    );
    expect(wrongIn(field("maxFailures"), { maxFailures: "2.5" })).toContain('"2.5"');
    expect(wrongIn(field("canaryRate"), { canaryRate: "1.1" })).toBe(
      'expected a number from 0 to 1, but got "1.1"',
    );
    expect(wrongIn(field("priority"), { priority: "many" })).toContain('"many"');
  });

  it.each(FIELDS.map((one) => [one.name, one] as const))(
    "%s takes its bounds and what is usual",
    (name, one) => {
      for (const value of [one.least, one.most, one.usual])
        if (value !== undefined) expect(wrongIn(one, { [name]: String(value) })).toBeUndefined();
      expect(wrongIn(one, { [name]: String(one.least - 1) })).toBeDefined();
      expect(wrongIn(one, { [name]: String(one.most * 2) })).toBeDefined();
    },
  );

  it("are told as options of the command line, and what it has no option for", () => {
    expect(optionsOf({ keepPrompts: "no" }).options).toEqual(["--no-prompts"]);
    expect(settingsOf({ keepPrompts: "no" })).toEqual({ keepPrompts: false });
    const { options, without } = optionsOf({
      maxFailures: "4",
      priority: "1",
      rollbackScope: "ROLLBACK_SCOPE_PRODUCERS",
    });
    expect(options).toEqual(["--max-failures", "4", "--rollback-scope", "producers"]);
    expect(without).toEqual(["Priority (larger first)"]);
  });
});
