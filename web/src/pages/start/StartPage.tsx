import { useEffect, useRef, useState } from "preact/hooks";
import { executions, plans, useResource } from "../../api";
import { words } from "../../i18n";
import { Link, navigate } from "../../router";
import { Button, Failed, Modal, toastError, Visible } from "../../ui";
import { RunLine } from "../runs/RunLine";
import { useEvery } from "./every";
import { type ExampleName, exampleText } from "./examples";
import { Hindrances } from "./Health";
import { isField, type Loaded, looksLikePlan, readFile } from "./intake";
import { LoadedPlan } from "./LoadedPlan";
import { s } from "./strings";
import "./start.css";

const EVERY = 5000;
const MOST = 6;

export default function StartPage() {
  const [loaded, setLoaded] = useState<Loaded | undefined>();
  const isOver = useDrops(setLoaded);
  return (
    <div class="page start-page stack">
      <header class="stack tight lead">
        <h1>{s.lead()}</h1>
        <p class="muted">{s.steps()}</p>
      </header>
      <Hindrances />
      {loaded ? (
        <LoadedPlan
          key={`${loaded.id} ${loaded.text.length}`}
          plan={loaded}
          remove={() => setLoaded(undefined)}
        />
      ) : (
        <Begin load={setLoaded} />
      )}
      <div class="start-recent">
        <RecentRuns />
        <RecentPlans />
      </div>
      {isOver && <div class="drop-veil">{s.dropNow()}</div>}
    </div>
  );
}

type Load = (plan: Loaded) => void;

function Begin({ load }: { load: Load }) {
  const [pasting, setPasting] = useState(false);
  const file = useRef<HTMLInputElement>(null);
  const take = async (event: Event) => {
    const input = event.currentTarget as HTMLInputElement;
    const chosen = input.files?.[0];
    input.value = "";
    if (chosen) await readFile(chosen).then(load, toastError);
  };
  return (
    <section class="stack" aria-label={s.begin()}>
      <div class="start-ways">
        <Example name="release_notes" title={s.release_notes()} about={s.release_notes_about()} load={load} />
        <Example name="ai_trends" title={s.ai_trends()} about={s.ai_trends_about()} load={load} />
        <div class="start-way own stack">
          <h2>{s.ownPlan()}</h2>
          <p class="small muted">{s.drop()}</p>
          <div class="row wrap">
            <Button onClick={() => file.current?.click()}>{s.choose()}</Button>
            <Button onClick={() => setPasting(true)}>{s.paste()}</Button>
            <Button onClick={() => navigate({ page: "plan", plan: "my-plan" })}>{s.write()}</Button>
          </div>
          <input
            ref={file}
            type="file"
            accept=".json,application/json"
            hidden
            onChange={(event) => void take(event)}
          />
        </div>
      </div>
      {pasting && <Paste load={load} close={() => setPasting(false)} />}
    </section>
  );
}

function Example({
  name,
  title,
  about,
  load,
}: {
  name: ExampleName;
  title: string;
  about: string;
  load: Load;
}) {
  const take = async () => {
    load({ id: name, text: await exampleText(name) });
  };
  return (
    <button type="button" class="start-way example" onClick={() => void take().catch(toastError)}>
      <span class="small muted">{s.example()}</span>
      <strong>{title}</strong>
      <span class="small">{about}</span>
    </button>
  );
}

function Paste({ load, close }: { load: Load; close: () => void }) {
  const [text, setText] = useState("");
  const send = (event: Event) => {
    event.preventDefault();
    close();
    load({ id: "plan", text });
  };
  return (
    <Modal title={s.paste()} close={close} wide>
      <form class="stack" onSubmit={send}>
        <textarea
          class="field mono"
          rows={14}
          aria-label={s.pasteHere()}
          placeholder='{"idea": "…", "tasks": […]}'
          spellcheck={false}
          onInput={(event) => setText(event.currentTarget.value)}
        />
        <div class="row end">
          <Button onClick={close}>{words.cancel()}</Button>
          <Button kind="primary" type="submit" disabled={text.trim() === ""}>
            {s.load()}
          </Button>
        </div>
      </form>
    </Modal>
  );
}

function RecentRuns() {
  const list = useResource((signal) => executions.list({ pageSize: MOST }, { signal }), []);
  useEvery(EVERY, list.reload);
  const all = list.value.value && (list.value.value.executions ?? []);
  return (
    <section class="stack tight recent" aria-label={s.recentRuns()}>
      <div class="row">
        <h2 class="grow">{s.recentRuns()}</h2>
        <Link to={{ page: "runs" }}>{s.allRuns()}</Link>
      </div>
      {list.error.value && !all ? (
        <Failed error={list.error.value} again={list.reload} />
      ) : (
        all?.length === 0 && <p class="card muted">{s.noRuns()}</p>
      )}
      {all && all.length > 0 && (
        <ul class="run-lines card">
          {all.map((one) => (
            <li key={one.executionId}>
              <Link to={{ page: "run", execution: one.executionId ?? "" }} class="run-line">
                <RunLine execution={one} />
              </Link>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

function RecentPlans() {
  const list = useResource((signal) => plans.list({ pageSize: 100 }, { signal }), []);
  const all = list.value.value && (list.value.value.plans ?? []);
  const newest = [...(all ?? [])]
    .sort((a, b) => (b.compiledAt ?? "").localeCompare(a.compiledAt ?? ""))
    .slice(0, MOST);
  return (
    <section class="stack tight recent" aria-label={s.recentPlans()}>
      <div class="row">
        <h2 class="grow">{s.recentPlans()}</h2>
        <Link to={{ page: "plans" }}>{s.allPlans()}</Link>
      </div>
      {list.error.value && !all ? (
        <Failed error={list.error.value} again={list.reload} />
      ) : (
        all?.length === 0 && <p class="card muted">{s.noPlans()}</p>
      )}
      {newest.length > 0 && (
        <ul class="run-lines card">
          {newest.map((plan) => (
            <li key={plan.planId}>
              <Link to={{ page: "plan", plan: plan.planId ?? "" }} class="run-line">
                <span class="run-name">
                  <strong>{plan.planId}</strong>
                  <span class="small muted">
                    <Visible text={plan.idea} most={120} />
                  </span>
                </span>
                <span class="small muted numbers nowrap">{words.tasksN(plan.taskCount ?? 0)}</span>
              </Link>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

/** Takes plans that are dropped or pasted anywhere on the page. Tells whether a file is held over it. */
function useDrops(load: Load): boolean {
  const [isOver, setOver] = useState(false);
  useEffect(() => {
    const over = (event: DragEvent) => {
      if (!event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      setOver(true);
    };
    const leave = (event: DragEvent) => event.relatedTarget === null && setOver(false);
    const drop = (event: DragEvent) => {
      setOver(false);
      const file = event.dataTransfer?.files[0];
      if (!file) return;
      event.preventDefault();
      void readFile(file).then(load, toastError);
    };
    const paste = (event: ClipboardEvent) => {
      const file = event.clipboardData?.files[0];
      const text = event.clipboardData?.getData("text/plain") ?? "";
      if (isField(event.target)) return;
      if (file) void readFile(file).then(load, toastError);
      else if (looksLikePlan(text)) load({ id: "plan", text });
    };
    addEventListener("dragover", over);
    addEventListener("dragleave", leave);
    addEventListener("drop", drop);
    addEventListener("paste", paste);
    return () => {
      removeEventListener("dragover", over);
      removeEventListener("dragleave", leave);
      removeEventListener("drop", drop);
      removeEventListener("paste", paste);
    };
  }, []);
  return isOver;
}
