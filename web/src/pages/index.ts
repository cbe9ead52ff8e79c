// The pages, by route. Each is a module of its own that is fetched when it is shown first, with its own texts and styles.
//
// A page lies in its own folder as `NAMEPage.tsx` and has `export default function NAMEPage(props: PageProps<"…">)`.
import type { ComponentType } from "preact";
import type { PageName, Route } from "../router";
import type { ExecutionStore } from "../store";

export type PageProps<N extends PageName> = { readonly route: Extract<Route, { page: N }> };
type PageModule = { readonly default: ComponentType<{ route: Route }> };

/** What the Run page gives to the drawer of a task (src/pages/task/TaskDrawer.tsx). */
export type TaskDrawerProps = {
  readonly store: ExecutionStore;
  readonly execution: string;
  readonly task: string;
  readonly attempt: number | undefined;
  readonly close: () => void;
};
type DrawerModule = { readonly default: ComponentType<TaskDrawerProps> };

const FOLDERS: Readonly<Record<PageName, string>> = {
  start: "./start/StartPage.tsx",
  inbox: "./inbox/InboxPage.tsx",
  plans: "./plan/PlansPage.tsx",
  plan: "./plan/PlanPage.tsx",
  run: "./run/RunPage.tsx",
  runs: "./runs/RunsPage.tsx",
  workers: "./workers/WorkersPage.tsx",
};

const pages = import.meta.glob<PageModule>("./*/*Page.tsx");
const drawers = import.meta.glob<DrawerModule>("./task/TaskDrawer.tsx");

/** Returns the loader of a page's module. */
export function pageOf(name: PageName): (() => Promise<PageModule>) | undefined {
  return pages[FOLDERS[name]];
}

export function drawer(): (() => Promise<DrawerModule>) | undefined {
  return drawers["./task/TaskDrawer.tsx"];
}
