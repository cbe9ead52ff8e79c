// The frame around every page: navigation, switches, the banner of the connection, dialogs and notices.
import { useEffect, useRef } from "preact/hooks";
import { pageOf } from "../pages";
import { Link, type PageName, type Route, route } from "../router";
import { connection } from "../stream";
import { Lazy } from "../ui";
import { DialogHost } from "../ui/dialogs";
import { KeyHelp } from "../ui/keys";
import { ToastHost } from "../ui/toasts";
import { Banner } from "./Banner";
import { inboxCount } from "./inbox";
import { SignIn } from "./SignIn";
import { Switches } from "./Switches";
import { isReadOnly, session } from "./session";
import { s } from "./strings";
import "./shell.css";

type NavigationPage = "start" | "inbox" | "plans" | "runs" | "workers";
const NAVIGATION: readonly NavigationPage[] = ["start", "inbox", "plans", "runs", "workers"];
/** The place in the navigation that a page belongs to. */
const BELONGS: Readonly<Partial<Record<Route["page"], NavigationPage>>> = { plan: "plans", run: "runs" };

export function Shell() {
  const mustSignIn = session.value?.required && !session.value.signedIn;
  return (
    <>
      <button type="button" class="skip" onClick={() => document.getElementById("content")?.focus()}>
        {s.skip()}
      </button>
      <header class="bar">
        <Link to={{ page: "start" }} class="brand" aria-label="signoff">
          <svg viewBox="0 0 32 32" width="24" height="24" aria-hidden="true">
            <rect width="32" height="32" rx="8" class="brand-ground" />
            <path d="M9 17l5 5 10-11" class="brand-check" />
          </svg>
          <span>signoff</span>
        </Link>
        <Navigation />
        <span class="grow" />
        {isReadOnly() && <span class="read-only">{s.readOnly()}</span>}
        <Live />
        <Switches />
      </header>
      <Banner />
      <main id="content" tabIndex={-1}>
        {mustSignIn ? <SignIn /> : <Page route={route.value} />}
      </main>
      <DialogHost />
      <KeyHelp />
      <ToastHost />
    </>
  );
}

function Navigation() {
  const here = BELONGS[route.value.page] ?? route.value.page;
  return (
    <nav class="navigation" aria-label={s.pages()}>
      {NAVIGATION.filter((page) => pageOf(page)).map((page) => (
        <Link key={page} to={{ page }} aria-current={page === here ? "page" : undefined}>
          {s[page]()}
          {page === "inbox" && inboxCount.value > 0 && <Waiting count={inboxCount.value} />}
        </Link>
      ))}
    </nav>
  );
}

/** How much waits for a person: a number to see, and its word to hear. */
function Waiting({ count }: { count: number }) {
  return (
    <>
      {" "}
      <span class="count">{count}</span>
      <span class="visually-hidden"> {s.waiting()}</span>
    </>
  );
}

function Live() {
  const { kind } = connection.value;
  if (kind === "idle" || kind === "lost" || kind === "away") return null;
  return (
    <span class={`live ${kind}`} role="status">
      <span class="live-dot" aria-hidden="true" />
      <span class="live-word">{kind === "live" ? s.live() : s.connecting()}</span>
    </span>
  );
}

function Page({ route: to }: { route: Route }) {
  const load = to.page === "unknown" ? undefined : pageOf(to.page as PageName);
  useTitle(to);
  if (!load) return <NoPage path={to.page === "unknown" ? to.path : to.page} />;
  return <Lazy load={load} props={{ route: to }} />;
}

function NoPage({ path }: { path: string }) {
  return (
    <div class="stack no-page">
      <h1>{s.noPage(path)}</h1>
      <Link to={{ page: "runs" }}>{s.runs()}</Link>
    </div>
  );
}

/** Names the tab after the page and counts what waits for a person; moves the focus to a new page's content. */
function useTitle(to: Route): void {
  const place = to.page === "run" ? `run ${to.execution}` : to.page;
  const first = useRef(true);
  useEffect(() => {
    const name =
      to.page === "run"
        ? to.execution
        : to.page === "plan"
          ? to.plan
          : to.page === "unknown"
            ? ""
            : s[to.page]();
    document.title = `${inboxCount.value ? `(${inboxCount.value}) ` : ""}${name ? `${name} · ` : ""}signoff`;
  });
  useEffect(() => {
    if (!first.current) document.getElementById("content")?.focus({ preventScroll: true });
    first.current = false;
  }, [place]);
}
