// The task as the plan has it: what it reads and makes, when it is good, and who does it.
import type { ComponentChildren } from "preact";
import { type MapJson, tasks, useResource } from "../../api";
import type { CheckJson, TaskSpecJson } from "../../gen/signoff/v1/plan_pb";
import { Link } from "../../router";
import { DONE } from "../../store";
import { Failed, StateMark, Visible } from "../../ui";
import { visible } from "../../ui/visible";
import type { TaskData } from "./data";
import { mapOf, modelOfRun } from "./map";
import { s } from "./strings";

export function Spec({ data }: { data: TaskData }) {
  const spec = data.detail.value.value?.spec;
  if (!data.detail.value.value) return null;
  if (!spec) return <p class="muted empty">{s.specUnknown()}</p>;
  return (
    <div class="spec">
      <Part name={s.spec()} wide>
        <p class="words">
          <Visible text={spec.description} />
        </p>
      </Part>
      <Part name={s.inputs()}>
        {spec.input?.description && (
          <p class="words">
            <Visible text={spec.input.description} />
          </p>
        )}
        <Inputs data={data} spec={spec} />
        {spec.input?.parametersJson && (
          <Code name={s.parameters()} text={pretty(spec.input.parametersJson)} />
        )}
      </Part>
      <Part name={s.outputs()}>
        <Outputs data={data} spec={spec} />
      </Part>
      <Part name={s.criteria()}>
        <Criteria spec={spec} />
      </Part>
      <Part name={s.executor()}>
        <Executor spec={spec} />
      </Part>
    </div>
  );
}

function Part({
  name,
  wide = false,
  children,
}: {
  name: string;
  wide?: boolean;
  children: ComponentChildren;
}) {
  return (
    <section class={`spec-part stack ${wide ? "wide" : ""}`}>
      <h3>{name}</h3>
      {children}
    </section>
  );
}

function Inputs({ data, spec }: { data: TaskData; spec: TaskSpecJson }) {
  const map = useResource(() => mapOf(data.execution), [data.execution]);
  const model = useResource(() => modelOfRun(data.store), [data.store, data.store.era.value]);
  if (map.error.value) return <Failed error={map.error.value} again={map.reload} />;
  const artifacts = spec.input?.artifacts ?? [];
  const named = artifacts.map((name) => ({ name, task: makerOf(map.value.value, name) }));
  const takesAll = artifacts.length === 0 || spec.input?.withDependencies;
  const waitsFor = takesAll ? (model.value.value?.waitsFor.get(data.id) ?? []) : [];
  const others = waitsFor.filter((id) => !named.some(({ task }) => task === id));
  const all = [...named, ...others.map((task) => ({ name: nameOf(map.value.value, task), task }))];
  if (all.length === 0) return <p class="muted">{s.noInputs()}</p>;
  return (
    <ul class="artifacts">
      {all.map(({ name, task }) => (
        <li key={`${name} ${task}`} class="row wrap">
          {name && <Visible text={name} most={128} />}
          {task && <TaskLink data={data} id={task} />}
        </li>
      ))}
    </ul>
  );
}

function makerOf(map: MapJson | undefined, artifact: string): string | undefined {
  return map?.tasks?.find(({ spec }) => spec?.output?.artifact === artifact)?.spec?.taskId;
}

function nameOf(map: MapJson | undefined, task: string): string {
  return map?.tasks?.find(({ spec }) => spec?.taskId === task)?.spec?.output?.artifact ?? "";
}

/** A task by its id and state, as a link when it is one: a group has no page of its own. */
export function TaskLink({ data, id }: { data: TaskData; id: string }) {
  const { fold } = data.store;
  const n = fold.number.get(id);
  if (n === undefined) return <span class="mono">{visible(id)}</span>;
  return (
    <Link class="task-link mono" to={{ page: "run", execution: data.execution, task: id }}>
      <StateMark status={fold.statusAt(n)} size={13} /> {id}
    </Link>
  );
}

function Outputs({ data, spec }: { data: TaskData; spec: TaskSpecJson }) {
  const { output = {} } = spec;
  const { store, n } = data;
  const isDone = n !== undefined && store.live.statusAt(n) === DONE;
  return (
    <>
      {output.description && (
        <p class="words">
          <Visible text={output.description} />
        </p>
      )}
      <dl class="task-facts">
        {output.artifact && <Fact name={s.name()} value={output.artifact} />}
        {output.format && <Fact name={s.format()} value={output.format} />}
        {output.files && <Fact name={s.files()} value={output.files.join(", ")} />}
      </dl>
      {isDone && (
        <a
          href={
            store.live.files.has(n)
              ? tasks.artifactZip(data.execution, data.id)
              : tasks.artifact(data.execution, data.id, true)
          }
          download
        >
          {s.artifact()}: {visible(output.artifact || data.id)}
        </a>
      )}
    </>
  );
}

function Criteria({ spec }: { spec: TaskSpecJson }) {
  const validation = spec.validation ?? {};
  const { criteria = [], checks = [], judge, human, canaries = [] } = validation;
  return (
    <>
      {validation.description && (
        <p class="words">
          <Visible text={validation.description} />
        </p>
      )}
      {criteria.length + checks.length === 0 && !human && <p class="muted">{s.noCriteria()}</p>}
      {criteria.length > 0 && (
        <ol class="criteria">
          {criteria.map((one, n) => (
            <li key={n}>
              <Visible text={one} most={1000} />
            </li>
          ))}
        </ol>
      )}
      {checks.length > 0 && (
        <>
          <h4>{s.checks()}</h4>
          <ol class="criteria mono">
            {checks.map((check, n) => (
              <li key={n}>
                <Visible text={checkText(check)} most={600} />
              </li>
            ))}
          </ol>
        </>
      )}
      {human && <p>{s.human()}</p>}
      {canaries.length > 0 && <p class="muted">{s.canaries(canaries.length)}</p>}
      {judge && (
        <dl class="task-facts">
          <Fact name={s.judgeModel()} value={JSON.stringify(judge)} />
        </dl>
      )}
    </>
  );
}

/** Returns a check as its name and its settings, behind the file that it is about: `report.md: length minChars: 10`. */
export function checkText(check: CheckJson): string {
  const { criterion, file, ...kinds } = check;
  const told = Object.entries(kinds).map(([name, settings]) => {
    const values = Object.entries(settings as Record<string, unknown>).map(
      ([key, value]) => `${key}: ${typeof value === "string" ? value : JSON.stringify(value)}`,
    );
    return [name, ...values].join(" ");
  });
  return `${file ? `${file}: ` : ""}${told.join("; ")}${criterion ? ` (${s.criterionN(criterion)})` : ""}`;
}

function Executor({ spec }: { spec: TaskSpecJson }) {
  const { executor = {} } = spec;
  const { name, model, labels, command, ...settings } = executor;
  const rest = Object.keys(settings).length > 0;
  return (
    <>
      <dl class="task-facts">
        <Fact name={s.executor()} value={name || (command ? "command" : s.anyModel())} />
        {model && <Fact name={s.model()} value={model} />}
        {labels && <Fact name={s.labels()} value={JSON.stringify(labels)} />}
      </dl>
      {command && <Code name="command" text={(command.argv ?? []).join(" ")} />}
      {rest && <Code name="" text={JSON.stringify(settings, null, 2)} />}
    </>
  );
}

function Fact({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        <Visible text={value} most={600} />
      </dd>
    </div>
  );
}

function Code({ name, text }: { name: string; text: string }) {
  return (
    <div class="stack tight">
      {name && <h4>{name}</h4>}
      <pre class="code">
        <Visible text={text} most={2000} />
      </pre>
    </div>
  );
}

function pretty(json: string): string {
  try {
    return JSON.stringify(JSON.parse(json), null, 2);
  } catch {
    return json; // it is shown as it came
  }
}
