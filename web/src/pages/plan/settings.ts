// The settings of an execution: their bounds and defaults, and the way from a form's fields to what is sent.
import type { ExecutionSettingsJson } from "../../gen/signoff/v1/execution_pb";
import { s } from "./strings";

type Kind = "whole" | "seconds" | "share" | "money";
export type Field = {
  readonly name: string;
  readonly kind: Kind;
  readonly least: number;
  readonly most: number;
  /** What the runner takes when the field is empty; undefined: no bound. */
  readonly usual: number | undefined;
  /** The option of `signoff submit` that does the same. */
  readonly flag?: string;
  readonly label: () => string;
  readonly isCommon: boolean;
};

const DAY = 86_400;

export const FIELDS: readonly Field[] = [
  field("budgetTokens", "whole", 0, 2 ** 53, undefined, s.budgetTokens, "--budget-tokens", true),
  field("budgetCost", "money", 0, 1e9, undefined, s.budgetCost, "--budget-cost", true),
  field("maxFailures", "whole", 1, 100, 3, s.maxFailures, "--max-failures", true),
  field("canaryRate", "share", 0, 1, 0.1, s.canaryRate, "--canary-rate", true),
  field("priority", "whole", -(2 ** 31), 2 ** 31 - 1, 0, s.priority, undefined, true),
  field("outagePatience", "seconds", 0, 30 * DAY, 900, s.outagePatience, "--outage-patience"),
  field("maxRollbacks", "whole", 0, 100, 1, s.maxRollbacks),
  field("maxLosses", "whole", 1, 1000, 10, s.maxLosses),
  field("maxJudgeErrors", "whole", 1, 1000, 5, s.maxJudgeErrors),
  field("retryBase", "seconds", 0, DAY, 1, s.retryBase),
  field("retryCap", "seconds", 0, DAY, 60, s.retryCap),
  field("runTimeout", "seconds", 1, 7 * DAY, 1800, s.runTimeout),
  field("idleTimeout", "seconds", 1, 7 * DAY, 120, s.idleTimeout),
];

function field(
  name: string,
  kind: Kind,
  least: number,
  most: number,
  usual: number | undefined,
  label: () => string,
  flag?: string,
  isCommon = false,
): Field {
  return { name, kind, least, most, usual, label, isCommon, ...(flag ? { flag } : {}) };
}

/** The fields as they are written; an empty one is left to the runner. */
export type Form = Readonly<Record<string, string>>;

/** Returns why a field cannot be sent; undefined when it can. */
export function wrongIn({ name, kind, least, most }: Field, form: Form): string | undefined {
  const text = (form[name] ?? "").trim();
  if (text === "") return undefined;
  const value = Number(text);
  const isRight = Number.isFinite(value) && value >= least && value <= most;
  if (isRight && (kind !== "whole" || Number.isInteger(value))) return undefined;
  return kind === "whole" ? s.expectedWhole(least, most, text) : s.expectedNumber(least, most, text);
}

/** Returns the settings of a form without wrong fields. */
export function settingsOf(form: Form): ExecutionSettingsJson {
  const number = (name: string) => (form[name]?.trim() ? Number(form[name]) : undefined);
  const seconds = (name: string) => (number(name) === undefined ? undefined : `${number(name)}s`);
  const tokens = number("budgetTokens");
  const cost = number("budgetCost");
  const budget = {
    ...(tokens === undefined ? {} : { tokens: String(tokens) }),
    ...(cost === undefined ? {} : { costNanos: String(Math.round(cost * 1e9)) }),
  };
  const all = {
    maxFailures: number("maxFailures"),
    maxLosses: number("maxLosses"),
    maxJudgeErrors: number("maxJudgeErrors"),
    maxRollbacks: number("maxRollbacks"),
    priority: number("priority"),
    canaryRate: number("canaryRate"),
    retryBase: seconds("retryBase"),
    retryCap: seconds("retryCap"),
    runTimeout: seconds("runTimeout"),
    idleTimeout: seconds("idleTimeout"),
    outagePatience: seconds("outagePatience"),
    rollbackScope: form.rollbackScope || undefined,
    keepPrompts: form.keepPrompts === "no" ? false : undefined,
    reuse: form.reuse === "no" ? false : undefined,
    onFailure: form.onFailure || undefined,
    budget: Object.keys(budget).length ? budget : undefined,
  };
  return Object.fromEntries(
    Object.entries(all).filter(([, value]) => value !== undefined),
  ) as ExecutionSettingsJson;
}

const SCOPES: Readonly<Record<string, string>> = {
  ROLLBACK_SCOPE_DOWNSTREAM: "downstream",
  ROLLBACK_SCOPE_PRODUCERS: "producers",
};
const FATES: Readonly<Record<string, string>> = { ON_FAILURE_CONTINUE: "continue", ON_FAILURE_STOP: "stop" };

/** Returns the options of `signoff submit` for a form, and the labels of what the command line has no option for. */
export function optionsOf(form: Form): { options: string[]; without: string[] } {
  const options: string[] = [];
  const without: string[] = [];
  for (const { name, flag, label } of FIELDS) {
    const text = form[name]?.trim();
    if (!text) continue;
    if (flag) options.push(flag, text);
    else without.push(label());
  }
  if (form.rollbackScope) options.push("--rollback-scope", SCOPES[form.rollbackScope] ?? form.rollbackScope);
  if (form.keepPrompts === "no") options.push("--no-prompts");
  if (form.reuse === "no") options.push("--fresh");
  if (form.onFailure) options.push("--on-failure", FATES[form.onFailure] ?? form.onFailure);
  return { options, without };
}
