import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { type LayoutJson, type PlacedDiagnostic, plans, useResource } from "../../api";
import { words } from "../../i18n";
import { query, setQuery } from "../../router";
import { isReadOnly } from "../../shell/session";
import { ask, Button, Failed, format, Loading, Tabs, Visible } from "../../ui";
import type { PageProps } from "..";
import { Commands } from "./Commands";
import { CompareView } from "./CompareView";
import { type Checking, useChecking } from "./checking";
import { Diagnostics, Standing } from "./Diagnostics";
import { Editor, type EditorHandle } from "./Editor";
import { Editing } from "./editing";
import { hiddenIn, marksOf } from "./found";
import { MapView } from "./MapView";
import { RunsOf } from "./RunsOf";
import { StartDialog } from "./StartDialog";
import { useSaving } from "./saving";
import { MOST_TEXT, readStored, type Stored } from "./stored";
import { s } from "./strings";
import "./plan.css";

export default function PlanPage({ route }: PageProps<"plan">) {
  return <Reading key={route.plan} plan={route.plan} />; // another plan is another page: nothing of this one is left
}

function Reading({ plan }: { plan: string }) {
  const stored = useResource((signal) => readStored(plan, signal), [plan]);
  const found = stored.value.value;
  if (stored.error.value) return <Failed error={stored.error.value} again={stored.reload} />;
  if (!found || stored.busy.value) return <Loading />;
  return <Plan plan={plan} found={found} />;
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
          declared={layout.busy.value ? undefined : (layout.value.value?.header?.inputs ?? [])}
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
