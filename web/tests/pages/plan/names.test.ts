import { describe, expect, it } from "vitest";
import { isPlanId, planIdOf } from "../../../src/pages/plan/names";

describe("ids of plans", () => {
  it.each(["a", "my-plan_2", "A".repeat(128)])("%s is one", (id) => expect(isPlanId(id)).toBe(true));
  it.each(["", "a.b", "a b", "../x", "季报", "A".repeat(129)])("%j is none", (id) =>
    expect(isPlanId(id)).toBe(false),
  );

  it.each([
    ["plan.json", "plan"],
    ["Release notes (2).JSON", "Release-notes-2"],
    ["季报.json", "plan"],
    [`${"x".repeat(300)}.json`, "x".repeat(100)],
  ])("of the file %s is %s", (file, id) => {
    expect(planIdOf(file)).toBe(id);
    expect(isPlanId(planIdOf(file))).toBe(true);
  });
});
