// What a person can do with a task besides judging it: run it again, bound what it spends, pause the run.
import { useState } from "preact/hooks";
import { executions, tasks } from "../../api";
import { words } from "../../i18n";
import { isReadOnly } from "../../shell/session";
import { DONE, UNDONE } from "../../store";
import { ask, Button, CommandChip, commandLine, format, Modal, toast, usePress } from "../../ui";
import { budgetOf } from "./Cost";
import type { TaskData } from "./data";
import { downstreamOf, type Spent, spentOn } from "./map";
import { s } from "./strings";

export function Actions({ data }: { data: TaskData }) {
  const { store, n, execution, id } = data;
  const [sets, setSets] = useState(false);
  const status = n === undefined ? UNDONE : store.live.statusAt(n);
  const retry = usePress(async (options) => {
    if (!(await askRetry(data))) return;
    await tasks.retry(execution, id, options);
    toast(s.retried(id));
    data.reload();
  });
  return (
    <div class="row wrap actions">
      <Button
        small
        onClick={() => retry.press()}
        busy={retry.busy}
        disabled={isReadOnly() || status === UNDONE}
      >
        {s.retry()}
      </Button>
      <Button small onClick={() => setSets(true)} disabled={isReadOnly()}>
        {s.setBudget()}
      </Button>
      <Pause data={data} />
      {sets && <BudgetDialog data={data} close={() => setSets(false)} />}
    </div>
  );
}

async function askRetry({ store, execution, id }: TaskData): Promise<boolean> {
  const below = await downstreamOf(store, id);
  const taken = [id, ...below];
  const spent = await spentOn(execution, taken);
  const { fold } = store;
  const done = taken.filter((one) => fold.statusAt(fold.number.get(one) ?? -1) === DONE).length;
  const answer = await ask({
    title: s.retryAsk(id),
    body: s.retryBody(),
    takesBack: (
      <>
        <p>{s.retryTakes(below.length, done)}</p>
        {spent.tokens > 0 && <p>{s.retryCost(told(spent))}</p>}
        {below.length > 0 && <p class="mono small taken">{listed(below)}</p>}
      </>
    ),
    action: s.retry(),
    danger: done > 0,
    command: commandLine("signoff", "retry", execution, id),
  });
  return answer !== undefined;
}

const MOST_LISTED = 40;

function listed(ids: readonly string[]): string {
  return (
    ids.slice(0, MOST_LISTED).join(", ") + (ids.length > MOST_LISTED ? ` … +${ids.length - MOST_LISTED}` : "")
  );
}

function told({ tokens, nanos, currency }: Spent): string {
  const price = nanos > 0 ? ` · ${format.money(nanos, currency)}` : "";
  return words.tokens(format.count(tokens)) + price;
}

function Pause({ data }: { data: TaskData }) {
  const { execution, store } = data;
  const { state } = store.fold;
  const pause = usePress(async (options) => {
    const answer = await ask({
      title: s.pauseAsk(),
      body: s.pauseBody(),
      text: { label: s.pauseReason() },
      action: s.pause(),
      command: (reason) =>
        commandLine("signoff", "pause", execution, ...(reason ? ["--reason", reason] : [])),
    });
    if (!answer) return;
    await executions.pause(execution, answer.text, options);
    toast(s.paused());
  });
  const resume = usePress(async (options) => {
    await executions.resume(execution, options);
    toast(s.resumed());
  });
  if (state === "EXECUTION_STATE_RUNNING")
    return (
      <Button small onClick={() => pause.press()} busy={pause.busy} disabled={isReadOnly()}>
        {s.pause()}
      </Button>
    );
  if (state !== "EXECUTION_STATE_PAUSED" && state !== "EXECUTION_STATE_STOPPED") return null;
  return (
    <Button
      small
      onClick={() => resume.press()}
      busy={resume.busy}
      disabled={isReadOnly()}
      title={commandLine("signoff", "resume", execution)}
    >
      {s.resume()}
    </Button>
  );
}

function BudgetDialog({ data, close }: { data: TaskData; close: () => void }) {
  const { execution, id } = data;
  const budget = budgetOf(data)?.budget ?? data.detail.value.value?.spec?.budget ?? {};
  const [tokens, setTokens] = useState(budget.tokens ?? "");
  const [cost, setCost] = useState(
    budget.costNanos === undefined ? "" : String(Number(budget.costNanos) / 1e9),
  );
  const wrong = [tokens, cost].find((text) => !isBound(text));
  const set = usePress(async (options) => {
    await executions.budget(execution, boundsOf(tokens, cost), id, options);
    toast(s.budgetSet());
    data.reload();
    close();
  });
  const submit = (event: Event) => {
    event.preventDefault();
    if (wrong === undefined) void set.press();
  };
  return (
    <Modal title={s.budgetOf(id)} close={close}>
      <form class="stack" onSubmit={submit}>
        <p>{s.budgetBody()}</p>
        <Field label={s.tokensBound()} value={tokens} set={setTokens} />
        <Field label={s.costBound()} value={cost} set={setCost} />
        {wrong !== undefined && <p role="alert">{s.notANumber(wrong)}</p>}
        <CommandChip command={budgetCommand(execution, id, tokens, cost)} />
        <div class="row end">
          <Button kind="primary" type="submit" busy={set.busy} disabled={wrong !== undefined}>
            {s.setBudget()}
          </Button>
        </div>
      </form>
    </Modal>
  );
}

function Field({ label, value, set }: { label: string; value: string; set: (text: string) => void }) {
  return (
    <label class="stack tight">
      <span>{label}</span>
      <input
        class="field numbers"
        inputMode="decimal"
        value={value}
        onInput={(event) => set(event.currentTarget.value)}
      />
    </label>
  );
}

export function isBound(text: string): boolean {
  return text.trim() === "" || /^\d{1,15}(\.\d{1,9})?$/.test(text.trim());
}

/** Returns the budget of what is written in the two fields; an empty one is no bound. */
export function boundsOf(tokens: string, cost: string): { tokens?: string; costNanos?: string } {
  const bounds: { tokens?: string; costNanos?: string } = {};
  if (tokens.trim()) bounds.tokens = tokens.trim().replace(/\..*$/, "");
  if (cost.trim()) bounds.costNanos = nanosOf(cost.trim());
  return bounds;
}

/** Returns billionths of a decimal, digit by digit: a double would round them. */
function nanosOf(decimal: string): string {
  const [whole = "0", part = ""] = decimal.split(".");
  return (BigInt(whole) * 1_000_000_000n + BigInt(part.padEnd(9, "0"))).toString();
}

export function budgetCommand(execution: string, id: string, tokens: string, cost: string): string {
  const bounds = [
    ...(tokens.trim() ? ["--tokens", tokens.trim()] : []),
    ...(cost.trim() ? ["--cost", cost.trim()] : []),
  ];
  return commandLine("signoff", "budget", execution, id, ...(bounds.length ? bounds : ["--unlimited"]));
}
