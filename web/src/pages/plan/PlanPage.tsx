import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { type LayoutJson, type PlacedDiagnostic, Problem, plans, useResource } from "../../api";
import { words } from "../../i18n";
import { navigate, query, setQuery } from "../../router";
import { isReadOnly } from "../../shell/session";
import {
  ask,
  Button,
  CommandChip,
  commandLine,
  Failed,
  format,
  Loading,
  Tabs,
  toast,
  usePress,
  Visible,
} from "../../ui";
import type { PageProps } from "..";
import { CompareView } from "./CompareView";
import { type Checking, useChecking } from "./checking";
import { Diagnostics, Standing } from "./Diagnostics";
import { Editor, type EditorHandle } from "./Editor";
import { Editing } from "./editing";
import { countLevels, hiddenIn, marksOf } from "./found";
import { timetableOf } from "./grid";
import { MapGrid } from "./MapGrid";
import { isPlanId } from "./names";
import { RunsOf } from "./RunsOf";
import { StartDialog } from "./StartDialog";
import { MOST_TEXT, readStored, type Stored } from "./stored";
import { s } from "./strings";
import { TaskCard } from "./TaskCard";
import { Tree } from "./Tree";
import "./plan.css";

export default function PlanPage({ route }: PageProps<"plan">) {
  const { plan } = route;
  const stored = useResource((signal) => readStored(plan, signal), [plan]);
  const found = stored.value.value;
  if (stored.error.value) return <Failed error={stored.error.value} again={stored.reload} />;
  if (!found || stored.busy.value) return <Loading />;
  return <Plan key={plan} plan={plan} found={found} />;
}

type View = "text" | "map" | "tree" | "compare";
const VIEWS: readonly View[] = ["text", "map", "tree", "compare"];

function Plan({ plan, found }: { plan: string; found: Stored }) {
  const editing = useMemo(() => new Editing(plan, found), []);
  const checking = useChecking(editing.text, editing.infer);
  const layout = useResource(
    async (signal) =>
      editing.stored.peek() === undefined && found.kind !== "large"
        ? undefined
        : plans.layout(plan, { signal }),
    [plan],
  );
  const [starting, setStarting] = useState(false);
  const handle = useRef<EditorHandle | undefined>(undefined);
  useEffect(() => editing.keep(), []);
  useWarning(editing);

  const isDirty = found.kind !== "large" && editing.isDirty.value;
  const isStored = editing.stored.value !== undefined || found.kind === "large";
  const usual: View = found.kind === "large" || (isStored && !editing.restored.value) ? "map" : "text";
  const view = VIEWS.find((one) => one === query.value.get("view")) ?? usual;
  const choose = (next: View) => setQuery({ view: next });
  const save = useSaving(
    editing,
    checking,
    () => {
      layout.reload();
      choose("map");
    },
    () => choose("text"),
  );
  const jump = (one: PlacedDiagnostic) => one.line && handle.current?.jump(one.line, one.column);
  const findInText = (id: string) => {
    const at = editing.text.value.search(new RegExp(`"task_id"\\s*:\\s*"${id}"`));
    if (at < 0) return;
    choose("text");
    const line = editing.text.value.slice(0, at).split("\n").length;
    requestAnimationFrame(() => handle.current?.jump(line));
  };
  const label: Record<View, string> = { text: s.text(), map: s.map(), tree: s.tree(), compare: s.compare() };
  return (
    <div class="plan-page">
      <Head plan={plan} isStored={isStored} isDirty={isDirty} layout={layout.value.value}>
        <Button
          kind={isDirty ? "primary" : "plain"}
          busy={save.busy}
          disabled={isReadOnly() || found.kind === "large"}
          onClick={() => void save.press(plan)}
        >
          {s.generateMap()}
        </Button>
        <Button
          disabled={isReadOnly() || found.kind === "large" || save.busy}
          onClick={() => void save.press(undefined)}
        >
          {s.generateNew()}
        </Button>
        <Button
          kind={isDirty ? "plain" : "primary"}
          disabled={isReadOnly() || !isStored}
          title={isStored ? undefined : s.firstGenerate()}
          onClick={() => setStarting(true)}
        >
          {s.execution()}
        </Button>
      </Head>
      <Notices editing={editing} plan={plan} found={found} />
      <div class="row wrap plan-tabs">
        <Tabs
          tabs={VIEWS.map((key) => ({ key, label: label[key] }))}
          current={view}
          choose={choose}
          label={s.views()}
          panel="plan-view"
        />
        <span class="grow" />
        {found.kind !== "large" && view !== "text" && <Standing checking={checking} />}
      </div>
      <div id="plan-view" class="plan-view" role="tabpanel" aria-label={label[view]}>
        {found.kind !== "large" && (
          <div class="plan-two" hidden={view !== "text"}>
            <TextView
              editing={editing}
              checking={checking}
              handle={handle}
              jump={jump}
              save={() => void save.press(plan)}
            />
          </div>
        )}
        {(view === "map" || view === "tree") && (
          <MapView
            key={view}
            view={view}
            layout={layout}
            isDirty={isDirty && isStored}
            findInText={found.kind === "large" ? undefined : findInText}
          />
        )}
        {view === "compare" && <CompareView plan={plan} digest={layout.value.value?.header?.mapDigest} />}
        {view === "text" && found.kind === "large" && (
          <p class="plan-notice">{s.tooLarge(`> ${format.size(MOST_TEXT)}`)}</p>
        )}
      </div>
      <Commands plan={plan} infer={editing.infer.value} />
      {isStored && <RunsOf plan={plan} />}
      {starting && (
        <StartDialog
          plan={plan}
          digest={layout.value.value?.header?.mapDigest}
          isDirty={isDirty}
          close={() => setStarting(false)}
        />
      )}
    </div>
  );
}

function Head(props: {
  plan: string;
  isStored: boolean;
  isDirty: boolean;
  layout: LayoutJson | undefined;
  children: preact.ComponentChildren;
}) {
  const { header } = props.layout ?? {};
  const standing = !props.isStored ? s.notStored() : props.isDirty ? s.unsaved() : s.stored();
  return (
    <div class="plan-head">
      <div class="grow stack tight">
        <div class="row wrap">
          <h1>{props.plan}</h1>
          <span class={`plan-standing ${props.isDirty ? "dirty" : ""}`}>{standing}</span>
        </div>
        {header?.idea && (
          <p class="muted">
            <Visible text={header.idea} most={240} />
          </p>
        )}
        {header && (
          <p class="small muted numbers">
            {words.tasksN(header.taskCount ?? 0)} · {s.groupsN(header.groupCount ?? 0)} ·{" "}
            {s.stagesN(header.stageCount ?? 0)} ·{" "}
            <span class="mono" title={header.mapDigest}>
              {s.mapDigest((header.mapDigest ?? "").slice(0, 10))}
            </span>
          </p>
        )}
      </div>
      <div class="row wrap">{props.children}</div>
    </div>
  );
}

function Notices({ editing, plan, found }: { editing: Editing; plan: string; found: Stored }) {
  const discard = async () => {
    const question = {
      title: s.discardAsk(),
      takesBack: s.discardTakes(),
      action: s.discard(),
      danger: true,
    };
    if (await ask(question)) editing.discard();
  };
  return (
    <>
      {found.kind === "missing" && editing.stored.value === undefined && !editing.restored.value && (
        <p class="plan-notice">{s.notHere(plan)}</p>
      )}
      {editing.isHomeless.value && <p class="plan-notice">{s.noRoom()}</p>}
      {editing.restored.value && editing.isDirty.value && (
        <div class="plan-notice row wrap">
          <span>{s.restored()}</span>
          {editing.stored.value !== undefined && (
            <Button small onClick={() => void discard()}>
              {s.discard()}
            </Button>
          )}
        </div>
      )}
    </>
  );
}

function TextView(props: {
  editing: Editing;
  checking: Checking;
  handle: { current: EditorHandle | undefined };
  jump: (one: PlacedDiagnostic) => void;
  save: () => void;
}) {
  const { editing, checking, handle, jump } = props;
  const lines = checking.lines.value;
  const hidden = useMemo(() => hiddenIn(lines), [lines]);
  const found = useMemo(() => [...checking.found.value, ...hidden], [checking.found.value, hidden]);
  const marks = useMemo(() => marksOf(found, lines), [found, lines]);
  const press = (event: KeyboardEvent) => {
    if (event.key.toLowerCase() !== "s" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    props.save();
  };
  return (
    <>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: a shortcut of the editor in it */}
      <div class="plan-main" onKeyDown={press}>
        <Editor
          text={editing.text.value}
          change={(text) => {
            editing.text.value = text;
          }}
          marks={marks}
          marked={lines}
          handle={handle}
        />
      </div>
      <aside class="plan-side stack">
        <Standing checking={checking} extra={hidden} />
        <Diagnostics found={found} jump={jump} />
        <label class="row small">
          <input
            type="checkbox"
            checked={editing.infer.value}
            onChange={(event) => {
              editing.infer.value = event.currentTarget.checked;
            }}
          />
          <span>{s.infer()}</span>
        </label>
      </aside>
    </>
  );
}

function MapView(props: {
  view: "map" | "tree";
  layout: ReturnType<typeof useResource<LayoutJson | undefined>>;
  isDirty: boolean;
  findInText: ((id: string) => void) | undefined;
}) {
  const { view, layout, isDirty, findInText } = props;
  const found = layout.value.value;
  const table = useMemo(() => (found ? timetableOf(found) : undefined), [found]);
  const selected = query.value.get("task") ?? undefined;
  const select = (id: string) => setQuery({ task: id });
  if (layout.error.value) return <Failed error={layout.error.value} again={layout.reload} />;
  if (!table) return layout.busy.value ? <Loading /> : <p class="plan-notice">{s.noMap()}</p>;
  return (
    <div class={`plan-two ${view === "map" ? "fits" : ""}`}>
      <div class="plan-main stack">
        {isDirty && <p class="plan-notice">{s.mapOfStored()}</p>}
        {view === "tree" && <Tree table={table} selected={selected} select={select} />}
        {view === "map" && table.columns.length > 0 && (
          <MapGrid table={table} selected={selected} select={select} />
        )}
        {view === "map" && table.isolated.length > 0 && (
          <div class="stack tight">
            <h3>{s.isolated()}</h3>
            <div class="map-isolated">
              {table.isolated.slice(0, 500).map((id) => (
                <button key={id} type="button" onClick={() => select(id)}>
                  {id}
                </button>
              ))}
            </div>
          </div>
        )}
      </div>
      <aside class="plan-side">
        <TaskCard table={table} id={selected} select={select} findInText={findInText} />
      </aside>
    </div>
  );
}

function Commands({ plan, infer }: { plan: string; infer: boolean }) {
  const more = infer ? [] : ["--no-infer"];
  return (
    <details class="plan-commands">
      <summary class="small">{words.commandLine()}</summary>
      <dl>
        <dt>{s.generateMap()}</dt>
        <dd>
          <CommandChip
            command={commandLine(
              "signoff",
              "compile",
              `${plan}.json`,
              "--plan-id",
              plan,
              ...more,
              "-o",
              "execution.json",
            )}
          />
        </dd>
        <dt>{s.execution()}</dt>
        <dd>
          <CommandChip
            command={commandLine(
              "signoff",
              "submit",
              `${plan}.json`,
              "--plan-id",
              plan,
              ...more,
              "--new",
              "--detach",
            )}
          />
        </dd>
        <dt>{s.runs()}</dt>
        <dd>
          <CommandChip command={commandLine("signoff", "status", "--plan", plan)} />
        </dd>
        <dt>execution.json</dt>
        <dd>
          <a href={plans.executionJson(plan)} download="execution.json">
            execution.json
          </a>
        </dd>
      </dl>
    </details>
  );
}

/** Stores the plan, under its id or, asked for, another one. A broken plan gets the marks of its diagnostics. */
function useSaving(editing: Editing, checking: Checking, done: () => void, broken: () => void) {
  return usePress(async (options, wanted: string | undefined) => {
    const id = wanted ?? (await askId(editing.plan));
    if (id === undefined || !(await isSure(editing, id))) return;
    try {
      const { header, diagnostics = [] } = await editing.store(id, options);
      toast(s.mapMade(header?.taskCount ?? 0, header?.stageCount ?? 0));
      if (id !== editing.plan) navigate({ page: "plan", plan: id });
      else {
        checking.take(editing.text.peek(), diagnostics);
        done();
      }
    } catch (error) {
      if (!(error instanceof Problem) || !error.body.diagnostics) throw error;
      checking.take(editing.text.peek(), error.body.diagnostics);
      broken();
      toast(s.brokenPlan(countLevels(error.body.diagnostics).errors), "failed");
    }
  });
}

async function askId(plan: string): Promise<string | undefined> {
  const text = { label: s.newId(), required: true, initial: `${plan}-2` };
  const command = (id: string) =>
    commandLine("signoff", "compile", `${id}.json`, "--plan-id", id, "-o", "execution.json");
  const answer = await ask({ title: s.newIdAsk(), text, command, action: s.generateMap() });
  const id = answer?.text.trim();
  if (id === undefined || isPlanId(id)) return id;
  throw new Error(s.wrongId(id));
}

async function isSure(editing: Editing, id: string): Promise<boolean> {
  const isNew = id === editing.plan ? editing.stored.peek() === undefined : !(await exists(id));
  if (isNew || (id === editing.plan && !editing.isDirty.peek())) return true;
  const command = commandLine("signoff", "compile", `${id}.json`, "--plan-id", id, "-o", "execution.json");
  return Boolean(
    await ask({ title: s.replaceAsk(id), body: s.replaceBody(), command, action: s.generateMap() }),
  );
}

async function exists(plan: string): Promise<boolean> {
  const asking = new AbortController();
  const { kind } = await readStored(plan, asking.signal);
  asking.abort();
  return kind !== "missing";
}

/** Lets the browser ask before it closes a page with changes that are not stored. */
function useWarning(editing: Editing): void {
  useEffect(() => {
    const warn = (event: BeforeUnloadEvent) => {
      if (editing.restored.peek() || (editing.isDirty.peek() && editing.stored.peek() !== undefined))
        event.preventDefault();
    };
    addEventListener("beforeunload", warn);
    return () => removeEventListener("beforeunload", warn);
  }, []);
}
