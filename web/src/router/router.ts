// The route of the moment, from the browser's address; the base is what the door wrote into the page.
import { computed, signal } from "@preact/signals";
import { pathOf, type Route, routeOf } from "./routes";

const base = () => new URL(document.baseURI);
const address = signal(new URL(globalThis.location?.href ?? "http://localhost/"));

export const route = computed<Route>(() => routeOf(below(address.value)));
/** What stands behind the question mark: filters and views, so that a link shows what its sender saw. */
export const query = computed(() => address.value.searchParams);

export function listen(): void {
  addEventListener("popstate", () => {
    address.value = new URL(location.href);
  });
}

/** Goes to a route. `replace` leaves no step in the browser's history. */
export function navigate(to: Route, options: { replace?: boolean; query?: URLSearchParams } = {}): void {
  const url = new URL(pathOf(to), base());
  if (options.query) url.search = options.query.toString();
  if (url.href === location.href) return;
  history[options.replace ? "replaceState" : "pushState"](null, "", url);
  address.value = url;
}

/** Sets or, with undefined, removes values behind the question mark, without a step in the browser's history. */
export function setQuery(values: Record<string, string | undefined>): void {
  const url = new URL(location.href);
  for (const [key, value] of Object.entries(values)) {
    if (value) url.searchParams.set(key, value);
    else url.searchParams.delete(key);
  }
  history.replaceState(null, "", url);
  address.value = url;
}

function below(url: URL): string {
  const start = base().pathname;
  return url.pathname.startsWith(start) ? url.pathname.slice(start.length) : url.pathname.slice(1);
}
