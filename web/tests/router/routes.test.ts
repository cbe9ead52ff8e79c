import { describe, expect, it } from "vitest";
import { pathOf, type Route, routeOf } from "../../src/router/routes";

const ROUTES: [string, Route][] = [
  ["start", { page: "start" }],
  ["inbox", { page: "inbox" }],
  ["workers", { page: "workers" }],
  ["plans", { page: "plans" }],
  ["plans/trends-2.4", { page: "plan", plan: "trends-2.4" }],
  ["runs", { page: "runs" }],
  ["runs/ab12", { page: "run", execution: "ab12" }],
  ["runs/ab12/tasks/3_1", { page: "run", execution: "ab12", task: "3_1" }],
  ["runs/ab12/tasks/3_1/attempts/2", { page: "run", execution: "ab12", task: "3_1", attempt: 2 }],
];

describe("routes", () => {
  it.each(ROUTES)("%s leads to its page, and the page's path back to it", (path, route) => {
    expect(routeOf(path)).toEqual(route);
    expect(pathOf(route)).toBe(path);
  });

  it("begins at the start", () => {
    expect(routeOf("")).toEqual({ page: "start" });
    expect(routeOf("/")).toEqual({ page: "start" });
  });

  it.each(["nowhere", "runs/a/b", "runs/a/tasks/b/attempts/0", "runs/a/tasks/b/attempts/x", "plans/a/b"])(
    "%s is no page",
    (path) => {
      expect(routeOf(path)).toEqual({ page: "unknown", path });
    },
  );

  it("takes an address that is badly encoded as it came", () => {
    expect(routeOf("plans/%E0%A4%A")).toEqual({ page: "plan", plan: "%E0%A4%A" });
  });
});
