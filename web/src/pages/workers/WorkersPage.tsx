import { useMemo } from "preact/hooks";
import { service, useResource } from "../../api";
import type { WorkerJson } from "../../gen/signoff/v1/runner_pb";
import { words } from "../../i18n";
import { instant } from "../../store";
import { CommandChip, Failed, format, Loading, Visible } from "../../ui";
import { useEvery } from "../start/every";
import { Canaries } from "./Canaries";
import { LanesView } from "./LanesView";
import { Scroll } from "./Scroll";
import { s } from "./strings";
import "./workers.css";

const EVERY = 3000;

export default function WorkersPage() {
  const answer = useResource(
    async (signal) => ({ ...(await service.workers({ signal })), at: Date.now() }),
    [],
  );
  useEvery(EVERY, answer.reload);
  const found = answer.value.value;
  const workers = found?.workers ?? [];
  const key = workers.map(({ name }) => name).join("\n");
  const names = useMemo(() => key.split("\n"), [key]);
  if (!found)
    return answer.error.value ? <Failed error={answer.error.value} again={answer.reload} /> : <Loading />;
  return (
    <div class="page workers-page stack">
      <div class="row wrap">
        <h1 class="grow">{s.workers()}</h1>
        <span class="small muted numbers">{s.asOf(format.clockTime(found.at))}</span>
      </div>
      {answer.error.value !== undefined && <Failed error={answer.error.value} />}
      {workers.length === 0 ? <NoWorkers /> : <Table workers={workers} />}
      <Canaries tallies={found.canaries ?? []} />
      <section class="stack tight">
        <h2>{s.lanes()}</h2>
        <LanesView names={names} />
      </section>
      <div class="row wrap small muted">
        <span>{words.commandLine()}</span>
        <CommandChip command="signoff workers" />
      </div>
    </div>
  );
}

function NoWorkers() {
  return (
    <div class="card stack">
      <p>{s.none()}</p>
      <CommandChip command="signoff worker --role both --model mock:delay=0.2" />
    </div>
  );
}

function Table({ workers }: { workers: readonly WorkerJson[] }) {
  const live = workers.filter(({ connected }) => connected);
  const sum = (of: (one: WorkerJson) => number) => live.reduce((all, one) => all + of(one), 0);
  const executors = sum(({ role }) => (role === "WORKER_ROLE_EXECUTOR" ? 1 : 0));
  return (
    <section class="stack tight">
      <p class="muted numbers">
        {s.sums(
          executors,
          live.length - executors,
          sum((one) => one.leases ?? 0),
          sum((one) => one.slots ?? 0),
        )}
      </p>
      <Scroll label={s.workers()}>
        <table class="plain workers">
          <thead>
            <tr>
              {[
                s.name(),
                s.role(),
                s.state(),
                s.slots(),
                s.models(),
                s.handlers(),
                s.labels(),
                s.version(),
                s.since(),
              ].map((name) => (
                <th key={name} scope="col">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {workers.map((worker) => (
              <Row key={`${worker.role} ${worker.name}`} worker={worker} />
            ))}
          </tbody>
        </table>
      </Scroll>
    </section>
  );
}

function Row({ worker }: { worker: WorkerJson }) {
  const labels = Object.entries(worker.labels ?? {}).map(([name, value]) => `${name}=${value}`);
  const cells: readonly (readonly [string, string])[] = [
    [s.models(), (worker.models ?? []).join(", ")],
    [s.handlers(), (worker.handlers ?? []).join(", ")],
    [s.labels(), labels.join(", ")],
    [s.version(), worker.version ?? ""],
  ];
  return (
    <tr>
      <th scope="row" data-label={s.name()}>
        <Visible text={worker.name} most={80} />
      </th>
      <td data-label={s.role()}>{worker.role === "WORKER_ROLE_VALIDATOR" ? s.validator() : s.executor()}</td>
      <td data-label={s.state()}>
        <Standing worker={worker} />
      </td>
      <td data-label={s.slots()}>
        <Slots used={worker.leases ?? 0} all={worker.slots ?? 0} />
      </td>
      {cells.map(([label, text]) => (
        <td key={label} data-label={label} class="small">
          {text ? <Visible text={text} most={120} /> : <span class="muted">—</span>}
        </td>
      ))}
      <td data-label={s.since()} class="small numbers nowrap">
        {format.moment(instant(worker.connectedAt))}
      </td>
    </tr>
  );
}

function Standing({ worker }: { worker: WorkerJson }) {
  if (!worker.connected) return <span class="worker-state gone">○ {s.grace()}</span>;
  if (worker.draining) return <span class="worker-state draining">◐ {s.draining()}</span>;
  return <span class="worker-state here">● {s.connected()}</span>;
}

const MOST_BOXES = 16;

function Slots({ used, all }: { used: number; all: number }) {
  return (
    <span class="slots">
      {all <= MOST_BOXES && (
        <span class="slot-boxes" aria-hidden="true">
          {Array.from({ length: all }, (_, n) => (
            <span key={n} class={n < used ? "used" : ""} />
          ))}
        </span>
      )}
      <span class="small numbers nowrap">{s.slotsOf(used, all)}</span>
    </span>
  );
}
