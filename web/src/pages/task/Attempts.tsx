// Every attempt, the last first: what happened in it, what it made, and how that differs from what was made before.
import { useState } from "preact/hooks";
import type { AttemptJson, ToldEvent } from "../../api";
import { Link } from "../../router";
import { Button, format, Visible } from "../../ui";
import { DifferenceView } from "./Difference";
import type { TaskData } from "./data";
import { CandidateMark, candidateLabel } from "./OutcomeMark";
import { s } from "./strings";

const FEW = 60; // events of an attempt shown before a person asks for all

export function Attempts({ data, current }: { data: TaskData; current: number }) {
  const attempts = data.attempts.value.value ?? [];
  if (attempts.length === 0) return <p class="muted empty">{s.nothingYet()}</p>;
  const made = attempts.filter(({ candidate }) => candidate).map(({ attempt }) => attempt ?? 0);
  return (
    <ol class="attempts">
      {[...attempts].reverse().map((one) => (
        <Attempt
          key={one.attempt ?? 0}
          one={one}
          data={data}
          isCurrent={one.attempt === current}
          hasBefore={made.some((n) => n < (one.attempt ?? 0))}
        />
      ))}
    </ol>
  );
}

type Props = { one: AttemptJson; data: TaskData; isCurrent: boolean; hasBefore: boolean };

function Attempt({ one, data, isCurrent, hasBefore }: Props) {
  const [compares, setCompares] = useState(false);
  const attempt = one.attempt ?? 0;
  const { candidate } = one;
  return (
    <li class={`attempt card stack ${isCurrent ? "current" : ""}`}>
      <div class="row wrap">
        {candidate && <CandidateMark state={candidate.state} />}
        <h3 class="grow">
          {attempt === 0 ? s.events() : s.attemptN(attempt)}
          {candidate && <span class="muted small"> {candidateLabel(candidate.state)}</span>}
        </h3>
        {candidate && (
          <Link
            class="button compact"
            to={{ page: "run", execution: data.execution, task: data.id, attempt }}
          >
            {s.showMade()}
          </Link>
        )}
        {candidate && hasBefore && (
          <Button small aria-expanded={compares} onClick={() => setCompares(!compares)}>
            {compares ? s.compareShut() : s.compare()}
          </Button>
        )}
      </div>
      {compares && <DifferenceView data={data} attempt={attempt} />}
      <Events events={one.events ?? []} />
    </li>
  );
}

function Events({ events }: { events: readonly ToldEvent[] }) {
  const [all, setAll] = useState(false);
  const shown = all ? events : events.slice(-FEW);
  return (
    <>
      {shown.length < events.length && (
        <Button small kind="quiet" onClick={() => setAll(true)}>
          + {format.count(events.length - shown.length)}
        </Button>
      )}
      <ol class="events">
        {shown.map((event) => (
          <li key={event.sequence}>
            <time dateTime={event.at}>{format.clockTime(Date.parse(event.at ?? ""))}</time>
            <span>
              <Visible text={event.sentence} most={800} />
            </span>
          </li>
        ))}
      </ol>
    </>
  );
}
