// The stored map beside the one that an execution of this plan runs.
import { useState } from "preact/hooks";
import { executions, plans, useResource } from "../../api";
import { Link } from "../../router";
import { Failed, format, Loading, StateBadge, stateLabel, Visible } from "../../ui";
import { type ChangedPart, type ChangedTask, compareMaps, type Part, shownAs } from "./compare";
import { s } from "./strings";

const MOST = 50; // executions to choose from
const MOST_ROWS = 500;

export function CompareView({ plan, digest }: { plan: string; digest: string | undefined }) {
  const list = useResource((signal) => executions.list({ planId: plan, pageSize: MOST }, { signal }), [plan]);
  const [chosen, choose] = useState<string | undefined>();
  if (list.error.value) return <Failed error={list.error.value} again={list.reload} />;
  const all = list.value.value && (list.value.value.executions ?? []);
  if (!all) return <Loading />;
  if (all.length === 0) return <p class="muted">{s.noRuns()}</p>;
  const one = all.find(({ executionId }) => executionId === chosen) ?? all[0]!;
  return (
    <div class="stack">
      <label class="row wrap">
        <span>{s.compareWith()}</span>
        <select class="field" value={one.executionId} onChange={(event) => choose(event.currentTarget.value)}>
          {all.map(({ executionId = "", state, createdAt }) => (
            <option key={executionId} value={executionId}>
              {`${executionId.slice(0, 8)} · ${stateLabel(state)} · ${format.moment(Date.parse(createdAt ?? ""))}`}
            </option>
          ))}
        </select>
        <StateBadge state={one.state} />
        <Link to={{ page: "run", execution: one.executionId ?? "" }}>{s.toRun()}</Link>
      </label>
      {one.mapDigest && one.mapDigest === digest ? (
        <p class="card">{s.sameMap()}</p>
      ) : (
        <Difference plan={plan} execution={one.executionId ?? ""} key={`${one.executionId} ${digest}`} />
      )}
    </div>
  );
}

function Difference({ plan, execution }: { plan: string; execution: string }) {
  const both = useResource(
    async (signal) => {
      const [before, after] = await Promise.all([
        executions.map(execution, { signal }),
        plans.map(plan, { signal }),
      ]);
      return compareMaps(before, after);
    },
    [plan, execution],
  );
  if (both.error.value) return <Failed error={both.error.value} again={both.reload} />;
  const found = both.value.value;
  if (!found) return <Loading />;
  const { added, removed, changed, same } = found;
  return (
    <div class="stack">
      <p class="small muted">{s.runsKeep()}</p>
      <div class="row wrap difference-sums">
        <span class="is-added">
          + {added.length} {s.added()}
        </span>
        <span class="is-removed">
          − {removed.length} {s.removed()}
        </span>
        <span class="is-changed">
          ~ {changed.length} {s.changed()}
        </span>
        <span class="muted">{s.unchangedN(same)}</span>
      </div>
      <ul class="differences">
        {added.slice(0, MOST_ROWS).map((id) => (
          <li key={id} class="is-added">
            <span aria-hidden="true">+</span> <code>{id}</code> <span class="small">{s.added()}</span>
          </li>
        ))}
        {removed.slice(0, MOST_ROWS).map((id) => (
          <li key={id} class="is-removed">
            <span aria-hidden="true">−</span> <code>{id}</code> <span class="small">{s.removed()}</span>
          </li>
        ))}
        {changed.slice(0, MOST_ROWS).map((one) => (
          <li key={one.id} class="is-changed">
            <span aria-hidden="true">~</span> <code>{one.id}</code>{" "}
            <span class="small">{sentenceOf(one)}</span>
            {one.parts.map((part) => (
              <Change key={part.part} change={part} />
            ))}
          </li>
        ))}
      </ul>
    </div>
  );
}

const PARTS: Readonly<Record<Part, () => string>> = {
  description: s.part_description,
  input: s.part_input,
  output: s.part_output,
  validation: s.part_validation,
  executor: s.part_executor,
  budget: s.part_budget,
  onFailure: s.part_onFailure,
};

function Change({ change }: { change: ChangedPart }) {
  return (
    <details class="small change">
      <summary>{PARTS[change.part]()}</summary>
      <div class="change-two">
        <pre class="was">
          <Visible text={shownAs(change.before)} />
        </pre>
        <pre class="is">
          <Visible text={shownAs(change.after)} />
        </pre>
      </div>
    </details>
  );
}

function sentenceOf({ parts, waitsMore, waitsLess, stage }: ChangedTask): string {
  const told = parts.map(({ part }) => PARTS[part]());
  if (waitsMore.length) told.push(s.waitsMore(waitsMore.slice(0, 8).join(", ")));
  if (waitsLess.length) told.push(s.waitsLess(waitsLess.slice(0, 8).join(", ")));
  if (stage[0] !== stage[1]) told.push(s.stageMoved(stage[0], stage[1]));
  return told.join(" · ");
}
