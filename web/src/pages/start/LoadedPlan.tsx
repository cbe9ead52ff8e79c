// A plan that was just loaded: what the compiler says of it, and the way on.
import { useSignal } from "@preact/signals";
import { useMemo, useState } from "preact/hooks";
import { Problem, plans, useResource } from "../../api";
import { words } from "../../i18n";
import { navigate } from "../../router";
import { isReadOnly } from "../../shell/session";
import { Button, CommandChip, commandLine, format, toast, usePress } from "../../ui";
import { useChecking } from "../plan/checking";
import { Diagnostics, Standing } from "../plan/Diagnostics";
import { dropDraft, keepDraft } from "../plan/drafts";
import { countLevels, hiddenIn } from "../plan/found";
import { isPlanId } from "../plan/names";
import type { Loaded } from "./intake";
import { s } from "./strings";

export function LoadedPlan({ plan, remove }: { plan: Loaded; remove: () => void }) {
  const [id, setId] = useState(plan.id);
  const text = useSignal(plan.text);
  const infer = useSignal(true);
  const checking = useChecking(text, infer);
  const lines = checking.lines.value;
  const hidden = useMemo(() => hiddenIn(lines), [lines]);
  const isTaken = useTaken(id);
  const { errors } = countLevels(checking.found.value);
  const { press, busy } = usePress(async (options) => {
    try {
      const { header } = await plans.compile(plan.text, id, options);
      dropDraft(id);
      toast(s.mapMade(header?.taskCount ?? 0, header?.stageCount ?? 0));
      navigate({ page: "plan", plan: id }, { query: new URLSearchParams({ view: "map" }) });
    } catch (error) {
      if (!(error instanceof Problem) || !error.body.diagnostics) throw error;
      checking.take(plan.text, error.body.diagnostics);
      toast(s.brokenPlan(), "failed");
    }
  });
  const edit = () => {
    keepDraft(id, plan.text);
    navigate({ page: "plan", plan: id }, { query: new URLSearchParams({ view: "text" }) });
  };
  const isRight = isPlanId(id);
  return (
    <section class="card stack loaded" aria-label={words.plan()}>
      <div class="row wrap loaded-head">
        <label class="stack tight">
          <span class="small muted">{s.planId()}</span>
          <input
            class="field mono"
            value={id}
            aria-invalid={!isRight}
            onInput={(event) => setId(event.currentTarget.value)}
          />
        </label>
        <span class="small muted numbers">
          {s.sizeOf(format.size(new Blob([plan.text]).size), format.count(lines.count))}
        </span>
        <span class="grow" />
        <Standing checking={checking} extra={hidden} />
      </div>
      {!isRight && <p class="small wrong">{s.wrongId()}</p>}
      {isTaken && <p class="plan-notice small">{s.replaces()}</p>}
      <div class="row wrap">
        <Button
          kind="primary"
          busy={busy}
          disabled={!isRight || isReadOnly() || (checking.isCurrent.value && errors > 0)}
          onClick={() => void press()}
        >
          {s.generateMap()}
        </Button>
        <Button disabled={!isRight} onClick={edit}>
          {s.edit()}
        </Button>
        <Button kind="quiet" onClick={remove}>
          {s.discard()}
        </Button>
        <CommandChip
          command={commandLine("signoff", "compile", `${id || "plan"}.json`, "-o", "execution.json")}
        />
      </div>
      <Diagnostics found={[...checking.found.value, ...hidden]} />
    </section>
  );
}

/** Tells whether a plan is stored under the id, as far as the first plans of the list tell. */
function useTaken(id: string): boolean {
  const list = useResource((signal) => plans.list({ pageSize: 1000 }, { signal }), []);
  return list.value.value?.plans?.some(({ planId }) => planId === id) ?? false;
}
