import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { ExecutionJson } from "../../gen/signoff/v1/execution_pb";
import { words } from "../../i18n";
import { Link, navigate, query, setQuery } from "../../router";
import {
  Button,
  CommandChip,
  commandLine,
  Failed,
  format,
  Loading,
  useShortcuts,
  VirtualList,
} from "../../ui";
import { FilterBar } from "./FilterBar";
import { type Filters, filtersOf, isFiltered, questionOf, type Span } from "./filters";
import { RunList } from "./list";
import { RunLine } from "./RunLine";
import { s } from "./strings";
import { TwoRuns } from "./TwoRuns";
import "./runs.css";

const EVERY = 3000; // milliseconds between two looks at what is in view

export default function RunsPage() {
  const two = (query.value.get("compare") ?? "").split(",").filter(Boolean);
  return two.length === 2 ? <TwoRuns first={two[0]!} second={two[1]!} /> : <Runs />;
}

function Runs() {
  const filters = filtersOf(query.value);
  const key = JSON.stringify(filters);
  const list = useMemo(() => new RunList(), []);
  const inView = useRef(new Set<string>());
  const box = useRef<HTMLDivElement>(null);
  const [current, setCurrent] = useState(-1);
  const [picked, setPicked] = useState<readonly string[]>([]);
  const isNarrow = useNarrow();
  const rows = list.rows.value;
  const rowHeight = isNarrow ? 92 : 58;

  useEffect(() => {
    setCurrent(-1);
    void list.ask(questionOf(filters, Date.now()));
  }, [key]);
  useEffect(() => {
    const look = () => {
      const isAtTop = (box.current?.querySelector(".virtual")?.scrollTop ?? 0) < 40;
      if (!document.hidden) void list.refresh(inView.current, isAtTop);
    };
    const timer = setInterval(look, EVERY);
    return () => {
      clearInterval(timer);
      list.close();
    };
  }, []);

  const pick = (id: string) =>
    setPicked(picked.includes(id) ? picked.filter((one) => one !== id) : [...picked, id].slice(-2));
  const compare = () => {
    if (picked.length === 2) setQuery({ compare: picked.join(",") });
    return picked.length === 2;
  };
  const pickCurrent = () => {
    if (at) pick(at);
    return at !== undefined;
  };
  const step = (by: number) => {
    if (rows.length === 0) return false;
    setCurrent(Math.max(0, Math.min(rows.length - 1, current + by)));
    return true;
  };
  const at = rows[current]?.executionId;
  useShortcuts([
    ...["j", "ArrowDown"].map((name) => ({ key: name, what: s.keyNext(), run: () => step(1) })),
    ...["k", "ArrowUp"].map((name) => ({ key: name, what: s.keyNext(), run: () => step(-1) })),
    { key: "Enter", what: s.keyOpen(), run: (event) => opens(event, at) },
    { key: "x", what: s.keyPick(), run: pickCurrent },
    { key: "c", what: s.keyCompare(), run: compare },
    { key: "/", what: s.keySearch(), run: () => focusSearch(box.current) },
  ]);
  return (
    <div class="page runs-page stack" ref={box}>
      <div class="row wrap">
        <h1 class="grow">{s.runs()}</h1>
        {list.asOf.value > 0 && (
          <span class="small muted numbers">{s.updated(format.clockTime(list.asOf.value))}</span>
        )}
        <span class="small muted">
          {picked.length === 1 ? s.pickedOne() : picked.length === 0 ? s.pickTwo() : ""}
        </span>
        <Button small disabled={picked.length !== 2} onClick={compare}>
          {s.compare()}
        </Button>
      </div>
      <FilterBar key={query.value.get("plan") ?? ""} filters={filters} />
      {list.error.value !== undefined && (
        <Failed error={list.error.value} again={() => void list.ask(questionOf(filters, Date.now()))} />
      )}
      {rows.length === 0 ? (
        list.error.value === undefined &&
        (list.asOf.value === 0 || list.busy.value ? <Loading /> : <Nothing filters={filters} />)
      ) : (
        <div
          class="runs-list card"
          style={{ height: `${rowHeight * (rows.length + (list.token.value ? 1 : 0)) + 2}px` }}
        >
          <VirtualList
            count={rows.length + (list.token.value ? 1 : 0)}
            rowHeight={rowHeight}
            current={current}
            keyOf={(n) => rows[n]?.executionId ?? "more"}
            row={(n) =>
              rows[n] ? (
                <Row
                  execution={rows[n]!}
                  isCurrent={n === current}
                  isPicked={picked.includes(rows[n]!.executionId ?? "")}
                  pick={pick}
                  inView={inView.current}
                />
              ) : (
                <More load={() => void list.more()} token={list.token.value} />
              )
            }
          />
        </div>
      )}
      <SameCommand filters={filters} />
    </div>
  );
}

type RowProps = {
  execution: ExecutionJson;
  isCurrent: boolean;
  isPicked: boolean;
  pick: (id: string) => void;
  inView: Set<string>;
};

function Row({ execution, isCurrent, isPicked, pick, inView }: RowProps) {
  const id = execution.executionId ?? "";
  useEffect(() => {
    inView.add(id);
    return () => {
      inView.delete(id);
    };
  }, [id]);
  return (
    <div class={`run-row ${isCurrent ? "current" : ""}`}>
      <label class="run-pick">
        <input
          type="checkbox"
          checked={isPicked}
          aria-label={s.pick(`${execution.planId} ${id}`)}
          onChange={() => pick(id)}
        />
      </label>
      <Link to={{ page: "run", execution: id }} class="run-line grow">
        <RunLine execution={execution} />
      </Link>
    </div>
  );
}

/** The last row of a list that goes on: coming into view, it loads what follows. */
function More({ load, token }: { load: () => void; token: string }) {
  useEffect(load, [token]);
  return <p class="small muted run-more">{s.loadingMore()}</p>;
}

function Nothing({ filters }: { filters: Filters }) {
  return (
    <div class="card stack">
      <p>{isFiltered(filters) ? s.noMatch() : s.none()}</p>
      <div>
        {isFiltered(filters) ? (
          <Button onClick={() => navigate({ page: "runs" })}>{s.clear()}</Button>
        ) : (
          <Link to={{ page: "start" }}>{s.toStart()}</Link>
        )}
      </div>
    </div>
  );
}

function SameCommand({ filters }: { filters: Filters }) {
  const hours: Record<Span, string> = { hour: "1h", day: "24h", week: "7d" };
  const command = commandLine(
    "signoff",
    "status",
    ...(filters.plan ? ["--plan", filters.plan] : []),
    ...filters.states.flatMap((state) => ["--state", state.toLowerCase()]),
    ...(filters.span ? ["--since", hours[filters.span]] : filters.from ? ["--since", filters.from] : []),
    ...(filters.until && !filters.span ? ["--until", filters.until] : []),
    ...(filters.person ? ["--awaiting", "person"] : []),
    ...(filters.text.trim() ? ["--text", filters.text.trim()] : []),
  );
  return (
    <div class="row wrap small muted">
      <span>{words.commandLine()}</span>
      <CommandChip command={command} />
    </div>
  );
}

function opens(event: KeyboardEvent, id: string | undefined): boolean {
  const isOnControl = event.target instanceof HTMLElement && event.target.closest("a, button, summary");
  if (!id || isOnControl) return false;
  navigate({ page: "run", execution: id });
  return true;
}

function focusSearch(box: HTMLElement | null): boolean {
  box?.querySelector<HTMLElement>(".run-search")?.focus();
  return true;
}

function useNarrow(): boolean {
  const media = useMemo(() => matchMedia("(max-width: 900px)"), []);
  const [narrow, set] = useState(media.matches);
  useEffect(() => {
    const hear = () => set(media.matches);
    media.addEventListener("change", hear);
    return () => media.removeEventListener("change", hear);
  }, []);
  return narrow;
}
