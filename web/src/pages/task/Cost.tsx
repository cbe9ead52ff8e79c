// What the task has cost, by phase and model, and its budget.
import type { BudgetStateJson, UsageTotalJson } from "../../gen/signoff/v1/execution_pb";
import { sumUsage, type Total } from "../../store";
import { format } from "../../ui";
import { visible } from "../../ui/visible";
import type { TaskData } from "./data";
import { phaseName } from "./Prompts";
import { s } from "./strings";

export function Cost({ data }: { data: TaskData }) {
  const usage = data.detail.value.value?.task?.usage ?? [];
  const currency = data.run.value.value?.currency ?? "";
  const budget = budgetOf(data);
  return (
    <div class="stack">
      <Budget budget={budget} currency={currency} />
      {usage.length === 0 ? (
        <p class="muted">{s.noCost()}</p>
      ) : (
        <div class="table-room">
          <table class="plain numbers">
            <thead>
              <tr>
                <th>{s.phase()}</th>
                <th>{s.model()}</th>
                <th class="end">{s.requests()}</th>
                <th class="end">{s.tokensIn()}</th>
                <th class="end">{s.tokensOut()}</th>
                <th class="end">{s.price()}</th>
              </tr>
            </thead>
            <tbody>
              {usage.map((one) => (
                <Line key={`${one.phase} ${one.model}`} one={one} currency={currency} />
              ))}
            </tbody>
            <tfoot>
              <Sum usage={usage} currency={currency} />
            </tfoot>
          </table>
        </div>
      )}
    </div>
  );
}

export function budgetOf(data: TaskData): BudgetStateJson | undefined {
  return data.run.value.value?.budgets?.find(({ taskId }) => taskId === data.id);
}

function Line({ one, currency }: { one: UsageTotalJson; currency: string }) {
  const total = sumUsage([one]);
  const tokens = (counted: string | undefined, estimated: string | undefined) =>
    format.count(Number(counted ?? 0) + Number(estimated ?? 0));
  return (
    <tr>
      <td>{phaseName(one.phase)}</td>
      <td>{visible(one.model ?? "") || s.noModelName()}</td>
      <td class="end">{format.count(Number(one.requests ?? 0))}</td>
      <td class="end">{tokens(one.inputTokens, one.estimatedInputTokens)}</td>
      <td class="end">{tokens(one.outputTokens, one.estimatedOutputTokens)}</td>
      <td class="end">{told(total, currency)}</td>
    </tr>
  );
}

/** Tells what was paid; of tokens without a price, nothing is known. */
function told({ nanos, estimatedNanos, unpriced }: Total, currency: string): string {
  const paid = nanos + estimatedNanos;
  return unpriced > 0 && paid === 0 ? "?" : format.money(paid, currency);
}

function Sum({ usage, currency }: { usage: readonly UsageTotalJson[]; currency: string }) {
  const total = sumUsage(usage);
  const notes = [
    total.estimatedTokens > 0 && s.estimated(format.count(total.estimatedTokens)),
    total.unpriced > 0 && s.unpriced(format.count(total.unpriced)),
  ].filter(Boolean);
  return (
    <tr>
      <th colSpan={3}>{s.together()}</th>
      <td class="end" colSpan={2}>
        {format.count(total.tokens + total.estimatedTokens)}
      </td>
      <td class="end">
        {told(total, currency)}
        {notes.length > 0 && <div class="small muted">{notes.join("; ")}</div>}
      </td>
    </tr>
  );
}

function Budget({ budget, currency }: { budget: BudgetStateJson | undefined; currency: string }) {
  if (!budget) return <p class="muted">{s.noBudget()}</p>;
  const { tokens, costNanos } = budget.budget ?? {};
  return (
    <div class="stack tight">
      {tokens !== undefined && (
        <Bar
          spent={Number(budget.spentTokens ?? 0)}
          bound={Number(tokens)}
          reserved={Number(budget.reservedTokens ?? 0)}
          tell={(n) => `${format.count(n)}`}
          name={s.tokensBound()}
        />
      )}
      {costNanos !== undefined && (
        <Bar
          spent={Number(budget.spentCostNanos ?? 0)}
          bound={Number(costNanos)}
          reserved={Number(budget.reservedCostNanos ?? 0)}
          tell={(n) => format.money(n, currency)}
          name={s.price()}
        />
      )}
    </div>
  );
}

type BarProps = { spent: number; bound: number; reserved: number; tell: (n: number) => string; name: string };

function Bar({ spent, bound, reserved, tell, name }: BarProps) {
  const text = s.budgetSpent(tell(spent), tell(bound));
  return (
    <div class="task-budget stack tight">
      <div class="row wrap small numbers">
        <strong>{name}</strong>
        <span>{text}</span>
        {reserved > 0 && <span class="muted">{s.reserved(tell(reserved))}</span>}
      </div>
      <meter
        min={0}
        max={Math.max(1, bound)}
        high={bound * 0.9}
        value={Math.min(spent, bound)}
        aria-label={text}
      />
    </div>
  );
}
