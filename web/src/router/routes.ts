// The page's addresses, and the way from an address to a page and back. No browser is needed to read one.

export type Route =
  | { readonly page: "start" }
  | { readonly page: "inbox" }
  | { readonly page: "plans" }
  | { readonly page: "plan"; readonly plan: string }
  | { readonly page: "runs" }
  | { readonly page: "run"; readonly execution: string; readonly task?: string; readonly attempt?: number }
  | { readonly page: "workers" }
  | { readonly page: "unknown"; readonly path: string };

export type PageName = Exclude<Route["page"], "unknown">;

/** Returns the route of a path below the page's base, such as "runs/ab12/tasks/3_1". */
export function routeOf(path: string): Route {
  const parts = path.split("/").filter(Boolean).map(decoded);
  const [first, id, below, task, further, attempt] = parts;
  if (first === undefined || (first === "start" && parts.length === 1)) return { page: "start" };
  if (first === "inbox" && parts.length === 1) return { page: "inbox" };
  if (first === "workers" && parts.length === 1) return { page: "workers" };
  if (first === "plans" && parts.length === 1) return { page: "plans" };
  if (first === "plans" && id !== undefined && parts.length === 2) return { page: "plan", plan: id };
  if (first !== "runs") return { page: "unknown", path };
  if (id === undefined) return { page: "runs" };
  if (parts.length === 2) return { page: "run", execution: id };
  if (below !== "tasks" || task === undefined) return { page: "unknown", path };
  if (parts.length === 4) return { page: "run", execution: id, task };
  if (further !== "attempts" || !/^[1-9][0-9]*$/.test(attempt ?? "") || parts.length !== 6)
    return { page: "unknown", path };
  return { page: "run", execution: id, task, attempt: Number(attempt) };
}

/** Returns the path of a route below the page's base, as a link has it. */
export function pathOf(route: Route): string {
  switch (route.page) {
    case "plan":
      return `plans/${encodeURIComponent(route.plan)}`;
    case "run":
      return pathOfRun(route.execution, route.task, route.attempt);
    case "unknown":
      return route.path;
    default:
      return route.page;
  }
}

function pathOfRun(execution: string, task?: string, attempt?: number): string {
  const run = `runs/${encodeURIComponent(execution)}`;
  if (task === undefined) return run;
  const one = `${run}/tasks/${encodeURIComponent(task)}`;
  return attempt === undefined ? one : `${one}/attempts/${attempt}`;
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part; // a per cent sign that encodes nothing: it is shown as it came
  }
}
