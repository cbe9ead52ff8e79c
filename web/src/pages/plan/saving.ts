// Generate Map: what is asked before a plan is stored, and what a broken one shows.
import { Problem } from "../../api";
import { navigate } from "../../router";
import { ask, commandLine, toast, usePress } from "../../ui";
import type { Checking } from "./checking";
import type { Editing } from "./editing";
import { countLevels } from "./found";
import { isPlanId } from "./names";
import { readStored } from "./stored";
import { s } from "./strings";

/** Stores the plan, under its id or, asked for, another one. A broken plan gets the marks of its diagnostics. */
export function useSaving(editing: Editing, checking: Checking, done: () => void, broken: () => void) {
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
