// What is read off an execution at a glance: how far it is, how long it took, what it cost.
import type { ExecutionJson, TaskCountsJson, UsageTotalJson } from "../../gen/signoff/v1/execution_pb";
import { instant, isAtRest, type State, sumUsage } from "../../store";
import { format } from "../../ui";
import { s } from "./strings";

export function isLive(execution: ExecutionJson): boolean {
  return !isAtRest((execution.state ?? "EXECUTION_STATE_UNSPECIFIED") as State);
}

export function totalOf(counts: TaskCountsJson = {}): number {
  return Object.values(counts).reduce((sum: number, n) => sum + Number(n ?? 0), 0);
}

export function failedOf(counts: TaskCountsJson = {}): number {
  return (counts.executionFailed ?? 0) + (counts.validationFailed ?? 0);
}

/** Returns milliseconds from the start to the end, or to now; undefined before the start. */
export function tookOf(execution: ExecutionJson, now: number): number | undefined {
  const start = instant(execution.startedAt);
  if (!start) return undefined;
  return Math.max(0, (instant(execution.endedAt) || now) - start);
}

export function tokensOf(usage: readonly UsageTotalJson[] = []): number {
  const { tokens, estimatedTokens } = sumAll(usage);
  return tokens + estimatedTokens;
}

export function nanosOf(usage: readonly UsageTotalJson[] = []): number {
  const { nanos, estimatedNanos } = sumAll(usage);
  return nanos + estimatedNanos;
}

function sumAll(usage: readonly UsageTotalJson[]) {
  const sum = sumUsage(usage);
  const estimated = usage.reduce(
    (all, one) => all + Number(one.estimatedInputTokens ?? 0) + Number(one.estimatedOutputTokens ?? 0),
    0,
  );
  return { ...sum, estimatedTokens: estimated };
}

/** Returns money where there are prices, else tokens. */
export function costOf({ usage = [], currency = "" }: ExecutionJson): string {
  const tokens = tokensOf(usage);
  if (tokens === 0) return s.noCost();
  const nanos = nanosOf(usage);
  return nanos > 0 ? format.money(nanos, currency) : s.tokens(format.short(tokens));
}
