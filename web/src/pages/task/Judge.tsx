// A person's verdict on the candidate that is shown, bound to its digest and attempt.
import { useState } from "preact/hooks";
import { Problem, tasks } from "../../api";
import type { CandidateInfoJson } from "../../gen/signoff/v1/execution_pb";
import { isReadOnly } from "../../shell/session";
import { Button, CommandChip, commandLine, recall, remember, toast, usePress, Visible } from "../../ui";
import type { TaskData } from "./data";
import { s } from "./strings";

type Props = {
  data: TaskData;
  info: CandidateInfoJson;
  /** The sentence of a verdict that was refused; it outlives the candidate that it was about. */
  conflict: string | undefined;
  setConflict: (sentence: string | undefined) => void;
};

export function Judge({ data, info, conflict, setConflict }: Props) {
  const [person, setPerson] = useState(recall("person") ?? "");
  const [reason, setReason] = useState("");
  const { execution, id } = data;
  const { digest = "", attempt = 0 } = info.artifact ?? {};
  const judged = { person: person.trim(), digest, attempt };
  const give = async (work: () => Promise<unknown>, told: string) => {
    remember("person", person.trim());
    try {
      await work();
      setConflict(undefined);
      toast(told);
    } catch (error) {
      if (!(error instanceof Problem && error.status === 409)) throw error;
      setConflict(error.message);
    } finally {
      data.reload();
    }
  };
  const approve = usePress((options) =>
    give(() => tasks.approve(execution, id, judged, options), s.approved(id)),
  );
  const reject = usePress((options) =>
    give(() => tasks.reject(execution, id, { ...judged, reason: reason.trim() }, options), s.rejected(id)),
  );
  if (isReadOnly()) return <p class="result-note">{s.readOnly()}</p>;
  const by = judged.person ? ["--by", judged.person] : [];
  return (
    <section class="judge stack" aria-label={s.judge()}>
      <h2>{s.judge()}</h2>
      {conflict && <Conflict sentence={conflict} />}
      <p class="small muted">{s.judgeWhy(attempt, digest.slice(0, 12))}</p>
      <label class="stack tight">
        <span class="small">{s.yourName()}</span>
        <input
          class="field"
          value={person}
          maxLength={128}
          autocomplete="name"
          onInput={(event) => setPerson(event.currentTarget.value)}
        />
      </label>
      <label class="stack tight">
        <span class="small">{s.reason()}</span>
        <textarea
          class="field"
          rows={2}
          value={reason}
          onInput={(event) => setReason(event.currentTarget.value)}
        />
      </label>
      <div class="row wrap">
        <Button kind="primary" onClick={() => approve.press()} busy={approve.busy} disabled={reject.busy}>
          {s.approve()}
        </Button>
        <Button
          kind="danger"
          onClick={() => reject.press()}
          busy={reject.busy}
          disabled={approve.busy || reason.trim() === ""}
          title={reason.trim() ? undefined : s.reasonFirst()}
        >
          {s.reject()}
        </Button>
        {reason.trim() === "" && <span class="small muted">{s.reasonFirst()}</span>}
      </div>
      <CommandChip
        command={
          reason.trim()
            ? commandLine("signoff", "reject", execution, id, "--reason", reason.trim(), ...by)
            : commandLine("signoff", "approve", execution, id, ...by)
        }
      />
    </section>
  );
}

export function Conflict({ sentence }: { sentence: string }) {
  return (
    <div class="conflict" role="alert">
      <Visible text={sentence} most={600} />
      <br />
      {s.changed()}
    </div>
  );
}
