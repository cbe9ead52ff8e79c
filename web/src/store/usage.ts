// What an execution has cost, by phase and model, added up from its events.
import type { UsageRecordedJson, UsageTotalJson } from "../gen/signoff/v1/execution_pb";

export type Total = {
  tokens: number;
  estimatedTokens: number;
  nanos: number;
  estimatedNanos: number;
  unpriced: number;
};

/** Adds what an event says to the totals. Numbers beyond 2^53 lose their last digits, which no screen shows. */
export function addUsage(totals: Map<string, UsageTotalJson>, event: UsageRecordedJson): void {
  const key = `${event.phase ?? ""} ${event.model ?? ""}`;
  const before: UsageTotalJson = totals.get(key) ?? {
    phase: event.phase ?? "PHASE_UNSPECIFIED",
    model: event.model ?? "",
  };
  const plus = (a: number | string | undefined, b: number | string | undefined) =>
    String(Number(a ?? 0) + Number(b ?? 0));
  const tokens = Number(event.inputTokens ?? 0) + Number(event.outputTokens ?? 0);
  const estimated = Number(event.estimatedInputTokens ?? 0) + Number(event.estimatedOutputTokens ?? 0);
  const isUnpriced = event.costNanos === undefined;
  totals.set(key, {
    ...before,
    inputTokens: plus(before.inputTokens, event.inputTokens),
    outputTokens: plus(before.outputTokens, event.outputTokens),
    requests: plus(before.requests, event.requests),
    costNanos: plus(before.costNanos, event.costNanos),
    unpricedTokens: plus(before.unpricedTokens, isUnpriced ? tokens + estimated : 0),
    cachedInputTokens: plus(before.cachedInputTokens, event.cachedInputTokens),
    reasoningTokens: plus(before.reasoningTokens, event.reasoningTokens),
    estimatedInputTokens: plus(before.estimatedInputTokens, event.estimatedInputTokens),
    estimatedOutputTokens: plus(before.estimatedOutputTokens, event.estimatedOutputTokens),
    estimatedCostNanos: plus(before.estimatedCostNanos, event.estimatedCostNanos),
  });
}

/** Returns the sum of the totals. */
export function sumUsage(totals: Iterable<UsageTotalJson>): Total {
  const sum: Total = { tokens: 0, estimatedTokens: 0, nanos: 0, estimatedNanos: 0, unpriced: 0 };
  for (const one of totals) {
    sum.tokens += Number(one.inputTokens ?? 0) + Number(one.outputTokens ?? 0);
    sum.estimatedTokens += Number(one.estimatedInputTokens ?? 0) + Number(one.estimatedOutputTokens ?? 0);
    sum.nanos += Number(one.costNanos ?? 0);
    sum.estimatedNanos += Number(one.estimatedCostNanos ?? 0);
    sum.unpriced += Number(one.unpricedTokens ?? 0);
  }
  return sum;
}
