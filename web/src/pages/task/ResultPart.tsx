// The candidate beside its verdict.
import { useMemo, useState } from "preact/hooks";
import { tasks } from "../../api";
import type { CandidateInfoJson } from "../../gen/signoff/v1/execution_pb";
import { FilesView, type Focus, type Quoted, quotesIn, ResultView } from "../../results";
import { query, setQuery } from "../../router";
import { isReadOnly } from "../../shell/session";
import { Failed, format, Visible } from "../../ui";
import { type TaskData, useCandidate } from "./data";
import { Conflict, Judge } from "./Judge";
import { CandidateMark, candidateLabel } from "./OutcomeMark";
import { s } from "./strings";
import { Verdict } from "./Verdict";

export function ResultPart({ data, attempt }: { data: TaskData; attempt: number }) {
  const candidate = useCandidate(data, attempt);
  const [conflict, setConflict] = useState<string | undefined>();
  const listed = data.attempts.value.value?.find((one) => one.attempt === attempt);
  if (candidate.error.value) return <Failed error={candidate.error.value} again={candidate.reload} />;
  const info = candidate.value.value;
  if (!info) return <NoCandidate data={data} attempt={attempt} isThere={listed !== undefined} />;
  const waits = info.state === "CANDIDATE_STATE_WAITS_FOR_PERSON";
  return (
    <>
      {conflict && !waits && <Conflict sentence={conflict} />}
      <Beside key={`${info.artifact?.attempt} ${info.artifact?.digest}`} data={data} info={info}>
        {waits && <Judge data={data} info={info} conflict={conflict} setConflict={setConflict} />}
      </Beside>
    </>
  );
}

type BesideProps = { data: TaskData; info: CandidateInfoJson; children: preact.ComponentChildren };

function Beside({ data, info, children }: BesideProps) {
  const [focus, setFocus] = useState<Focus | undefined>();
  const [found, setFound] = useState<ReadonlySet<number> | undefined>();
  const reasons = JSON.stringify((info.results ?? []).map(({ reason }) => reason ?? ""));
  const quoted = useMemo(() => quotedIn(JSON.parse(reasons) as string[]), [reasons]);
  const seek = (mark: number) => setFocus({ mark, turn: focus?.mark === mark ? focus.turn + 1 : 0 });
  const artifact = info.artifact ?? {};
  const attempt = artifact.attempt ?? 0;
  const evidence = { quoted, focus, found: setFound };
  return (
    <div class="beside">
      <section class="candidate stack" aria-label={s.candidate()}>
        <CandidateHead info={info} />
        {artifact.fileCount ? (
          <FilesView
            of={`${attempt} ${artifact.digest}`}
            list={(signal) => tasks.candidateFiles(data.execution, data.id, attempt, { signal })}
            address={(path, download) =>
              tasks.candidateFile(data.execution, data.id, attempt, path, download)
            }
            zip={tasks.candidateZip(data.execution, data.id, attempt)}
            chosen={query.value.get("file") ?? undefined}
            choose={(file) => setQuery({ file })}
            {...evidence}
          />
        ) : (
          <ResultView
            url={tasks.candidate(data.execution, data.id, attempt)}
            downloadUrl={tasks.candidate(data.execution, data.id, attempt, true)}
            mediaType={artifact.mediaType}
            size={Number(artifact.sizeBytes ?? 0)}
            name={artifact.name || data.id}
            {...evidence}
          />
        )}
        {info.remark && (
          <details class="remark">
            <summary>{s.remark()}</summary>
            <Visible text={info.remark} />
          </details>
        )}
      </section>
      <div class="verdict-side stack">
        {!isReadOnly() && children}
        <Verdict info={info} quoted={quoted} found={found} current={focus?.mark} seek={seek} />
        {isReadOnly() && children}
      </div>
    </div>
  );
}

function quotedIn(reasons: readonly string[]): Quoted[] {
  return reasons.map((reason, mark) => ({ mark, quotes: quotesIn(reason) }));
}

function CandidateHead({ info }: { info: CandidateInfoJson }) {
  const { artifact = {}, decidedBy } = info;
  const unread = artifact.unread;
  const by =
    decidedBy?.person !== undefined
      ? s.byPerson(decidedBy.person)
      : s.byValidator(decidedBy?.validator ?? "");
  return (
    <div class="stack tight">
      <div class="row wrap">
        <CandidateMark state={info.state} />
        <strong>
          {s.attemptN(artifact.attempt ?? 0)}: {candidateLabel(info.state)}
        </strong>
        <span class="muted small">
          {decidedBy && <Visible text={by} most={160} />}
          {info.decidedAt && ` · ${format.moment(Date.parse(info.decidedAt))}`}
        </span>
      </div>
      {unread && (
        <p class="result-note">{s.unread(unread.cut ?? 0, unread.leftOut ?? 0, unread.inputs ?? 0)}</p>
      )}
    </div>
  );
}

function NoCandidate({ data, attempt, isThere }: { data: TaskData; attempt: number; isThere: boolean }) {
  const { fold } = data.store;
  if (!data.attempts.value.value || data.attempts.busy.value) return null;
  if (attempt === 0) return <p class="muted empty">{s.nothingYet()}</p>;
  const isRunning = data.n !== undefined && fold.attempt[data.n] === attempt && fold.worker[data.n] !== "";
  const events = data.attempts.value.value.find((one) => one.attempt === attempt)?.events ?? [];
  const last = events.findLast(({ sentence, usageRecorded }) => sentence && !usageRecorded);
  return (
    <div class="stack empty">
      <p>{isRunning && isThere ? s.notYet() : s.noCandidate(attempt)}</p>
      {last?.sentence && (
        <p class="muted">
          <Visible text={last.sentence} most={2000} />
        </p>
      )}
    </div>
  );
}
