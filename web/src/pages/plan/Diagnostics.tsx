import { useState } from "preact/hooks";
import type { PlacedDiagnostic } from "../../api";
import { Button, Failed, Visible } from "../../ui";
import type { Checking } from "./checking";
import { countLevels, levelOf } from "./found";
import { s } from "./strings";
import "./diagnostics.css";

const AT_FIRST = 50;

/** What the compiler says, in its order; each leads to its place. */
export function Diagnostics({
  found,
  jump,
}: {
  found: readonly PlacedDiagnostic[];
  jump?: (one: PlacedDiagnostic) => void;
}) {
  const [most, setMost] = useState(AT_FIRST);
  if (found.length === 0) return null;
  return (
    <div class="stack tight">
      <ul class="diagnostics" aria-label={s.diagnostics()}>
        {found.slice(0, most).map((one, n) => (
          <li key={n} class={levelOf(one)}>
            <Sign level={levelOf(one)} />
            <div class="grow">
              <Visible text={one.message} most={600} />
              <div class="small muted diagnostics-more">
                {one.line && jump ? (
                  <button type="button" class="link numbers" onClick={() => jump(one)}>
                    {one.line}:{one.column ?? 1}
                  </button>
                ) : (
                  one.line && <span class="numbers">{`${one.line}:${one.column ?? 1}`}</span>
                )}
                <code>{one.code}</code>
                {one.path && (
                  <code class="ellipsis">
                    <Visible text={one.path} most={200} />
                  </code>
                )}
              </div>
            </div>
          </li>
        ))}
      </ul>
      {found.length > most && (
        <Button small onClick={() => setMost(most + 200)}>
          {s.showMore(Math.min(200, found.length - most))}
        </Button>
      )}
    </div>
  );
}

function Sign({ level }: { level: "error" | "warning" }) {
  return (
    <span class="diagnostics-sign" role="img" aria-label={level === "error" ? s.error() : s.warning()}>
      {level === "error" ? "✕" : "▲"}
    </span>
  );
}

/** How the plan stands, in a line: checking, compiles, or how many errors and warnings. */
export function Standing({
  checking,
  extra = [],
}: {
  checking: Checking;
  extra?: readonly PlacedDiagnostic[];
}) {
  if (checking.error.value) return <Failed error={checking.error.value} />;
  const { errors, warnings } = countLevels([...checking.found.value, ...extra]);
  return (
    <span class="standing" role="status">
      {checking.busy.value && <span class="muted">{s.checking()}</span>}
      {errors > 0 && <span class="error">✕ {s.errorsN(errors)}</span>}
      {warnings > 0 && <span class="warning">▲ {s.warningsN(warnings)}</span>}
      {!checking.busy.value && errors === 0 && checking.isCurrent.value && (
        <span class="compiles">✓ {s.compiles()}</span>
      )}
    </span>
  );
}
