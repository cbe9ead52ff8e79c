// The verdict on a candidate: each criterion and check, its outcome, why, and who judged. A press leads to the evidence.
import type { CandidateInfoJson, CriterionResultJson } from "../../gen/signoff/v1/execution_pb";
import type { Quoted } from "../../results";
import { Visible } from "../../ui";
import { OutcomeMark, outcomeLabel } from "./OutcomeMark";
import { s } from "./strings";

type Props = {
  info: CandidateInfoJson;
  quoted: readonly Quoted[];
  found: ReadonlySet<number> | undefined;
  current: number | undefined;
  seek: (mark: number) => void;
};

export function Verdict({ info, quoted, found, current, seek }: Props) {
  const results = info.results ?? [];
  const passed = results.filter(({ outcome }) => outcome === "OUTCOME_PASS").length;
  return (
    <section class="verdict stack" aria-label={s.verdict()}>
      <div class="row">
        <h2 class="grow">{s.verdict()}</h2>
        {results.length > 0 && <span class="muted small">{s.passing(passed, results.length)}</span>}
      </div>
      {results.length === 0 && <p class="muted">{s.noVerdict()}</p>}
      <ol class="outcomes">
        {inOrder(results).map(({ result, n }) => (
          <Outcome
            key={n}
            result={result}
            info={info}
            isCurrent={n === current}
            evidence={evidenceOf(quoted[n], n, found)}
            seek={() => seek(n)}
          />
        ))}
      </ol>
      {info.feedback && (
        <div class="feedback">
          <h3>{s.feedback()}</h3>
          <Visible text={info.feedback} most={1500} />
        </div>
      )}
    </section>
  );
}

/** What did not pass comes first. */
function inOrder(results: readonly CriterionResultJson[]) {
  const rank = ({ outcome }: CriterionResultJson) =>
    outcome === "OUTCOME_FAIL" ? 0 : outcome === "OUTCOME_PASS" ? 2 : 1;
  return results
    .map((result, n) => ({ result, n }))
    .sort((a, b) => rank(a.result) - rank(b.result) || a.n - b.n);
}

type Evidence = "none" | "there" | "missing";

function evidenceOf(quoted: Quoted | undefined, n: number, found: ReadonlySet<number> | undefined): Evidence {
  if (!quoted || quoted.quotes.length === 0 || !found) return "none";
  return found.has(n) ? "there" : "missing";
}

type OutcomeProps = {
  result: CriterionResultJson;
  info: CandidateInfoJson;
  isCurrent: boolean;
  evidence: Evidence;
  seek: () => void;
};

function Outcome({ result, info, isCurrent, evidence, seek }: OutcomeProps) {
  const title = (
    <>
      <OutcomeMark outcome={result.outcome} />
      <span class="grow outcome-text">
        <Visible text={result.criterion} most={240} />
      </span>
    </>
  );
  return (
    <li class={`outcome ${isCurrent ? "current" : ""}`}>
      {evidence === "there" ? (
        <button type="button" class="outcome-title" onClick={seek} title={s.seekEvidence()}>
          {title}
        </button>
      ) : (
        <div class="outcome-title">{title}</div>
      )}
      {result.reason && (
        <p class="outcome-reason">
          <Visible text={result.reason} most={1500} />
        </p>
      )}
      <p class="outcome-by muted">
        {outcomeLabel(result.outcome)} · {judgeOf(result, info)}
        {numberOf(result)}
        {evidence === "there" && (
          <button type="button" class="seek" onClick={seek}>
            {s.seekEvidence()}
          </button>
        )}
        {evidence === "missing" && <span class="not-found"> · {s.noEvidence()}</span>}
      </p>
    </li>
  );
}

function numberOf(result: CriterionResultJson): string {
  if (result.criterionNumber) return ` · ${s.criterionN(result.criterionNumber)}`;
  return result.checkNumber ? ` · ${s.checkN(result.checkNumber)}` : "";
}

/** A person's results come last, and are about no criterion and no check. */
function judgeOf(result: CriterionResultJson, info: CandidateInfoJson): string {
  if (result.deterministic) return s.byCode();
  const results = info.results ?? [];
  const isLast = results.at(-1) === result;
  const person = info.decidedBy?.person;
  const isPersons = person !== undefined && isLast && !result.criterionNumber && !result.checkNumber;
  return isPersons ? s.byThePerson(person) : s.byModel(info.validator ?? "");
}
