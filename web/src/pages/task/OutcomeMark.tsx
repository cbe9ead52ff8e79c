// Marks of verdicts and candidates, by shape and letter as those of tasks are.
import type { CandidateStateJson, OutcomeJson } from "../../gen/signoff/v1/execution_pb";
import { SHAPES } from "../../ui";
import { s } from "./strings";

type Look = { readonly shape: keyof typeof SHAPES; readonly letter: string; readonly colour: string };

const OUTCOMES: Readonly<Record<string, Look>> = {
  OUTCOME_PASS: { shape: 4, letter: "✓", colour: "done" },
  OUTCOME_FAIL: { shape: 5, letter: "F", colour: "execution-failed" },
};
const NO_OPINION: Look = { shape: 3, letter: "?", colour: "validating" };

const STATES: Readonly<Record<string, Look>> = {
  CANDIDATE_STATE_SIGNED_OFF: { shape: 4, letter: "✓", colour: "done" },
  CANDIDATE_STATE_REJECTED: { shape: 6, letter: "R", colour: "validation-failed" },
  CANDIDATE_STATE_WITHDRAWN: { shape: 1, letter: "W", colour: "undone" },
  CANDIDATE_STATE_WAITS_FOR_VALIDATOR: { shape: 3, letter: "V", colour: "validating" },
  CANDIDATE_STATE_WAITS_FOR_PERSON: { shape: 3, letter: "P", colour: "person" },
};
const NONE: Look = { shape: 5, letter: "–", colour: "undone" };

export function outcomeLabel(outcome: OutcomeJson | undefined): string {
  if (outcome === "OUTCOME_PASS") return s.pass();
  return outcome === "OUTCOME_FAIL" ? s.fail() : s.error();
}

export function candidateLabel(state: CandidateStateJson | undefined): string {
  switch (state) {
    case "CANDIDATE_STATE_SIGNED_OFF":
      return s.stateSignedOff();
    case "CANDIDATE_STATE_REJECTED":
      return s.stateRejected();
    case "CANDIDATE_STATE_WITHDRAWN":
      return s.stateWithdrawn();
    case "CANDIDATE_STATE_WAITS_FOR_VALIDATOR":
      return s.stateWaitsValidator();
    case "CANDIDATE_STATE_WAITS_FOR_PERSON":
      return s.stateWaitsPerson();
    default:
      return s.stateNone();
  }
}

export function OutcomeMark({ outcome }: { outcome: OutcomeJson | undefined }) {
  return <Mark look={OUTCOMES[outcome ?? ""] ?? NO_OPINION} label={outcomeLabel(outcome)} size={18} />;
}

export function CandidateMark({ state }: { state: CandidateStateJson | undefined }) {
  return <Mark look={STATES[state ?? ""] ?? NONE} label={candidateLabel(state)} size={16} />;
}

function Mark({ look, label, size }: { look: Look; label: string; size: number }) {
  const isHollow = look.shape === 1;
  return (
    <span class={`mark of-${look.colour}`} role="img" aria-label={label} title={label}>
      <svg viewBox="0 0 16 16" width={size} height={size} aria-hidden="true">
        <path d={SHAPES[look.shape]} class={isHollow ? "hollow" : "solid"} />
        <text x="8" y={look.shape === 6 ? 12.6 : 11.2} class={isHollow ? "on-ground" : "on-shape"}>
          {look.letter}
        </text>
      </svg>
    </span>
  );
}
