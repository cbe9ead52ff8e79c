import { executions } from "../../api";
import { RunResults } from "../../results/RunResults";
import { isReadOnly } from "../../shell/session";
import { DONE, isFinal } from "../../store";
import { ask, Button, commandLine, toast, usePress } from "../../ui";
import type { RunState } from "./state";
import { s } from "./strings";

/** Pause, resume and stop, each asked first, with the command line that does the same. */
export function Controls({ state }: { state: RunState }) {
  const fold = state.store.live;
  const { id } = state.store;
  const pause = usePress(async (options) => {
    const answer = await ask({
      title: s.pauseAsk(),
      body: s.pauseBody(),
      action: s.pause(),
      text: { label: s.reason() },
      command: (reason) => commandLine("signoff", "pause", id, ...(reason ? ["--reason", reason] : [])),
    });
    if (!answer) return;
    await executions.pause(id, answer.text, options);
    toast(s.paused());
  });
  const stop = usePress(async (options) => {
    const underWay = fold.worker.filter(Boolean).length;
    const answer = await ask({
      title: s.stopAsk(),
      body: s.stopBody(),
      takesBack: s.stopCost(underWay),
      action: s.stop(),
      danger: true,
      text: { label: s.reason() },
      command: (reason) => commandLine("signoff", "stop", id, ...(reason ? ["--reason", reason] : [])),
    });
    if (!answer) return;
    await executions.stop(id, answer.text, options);
    toast(s.stopped());
  });
  const resume = usePress(async (options) => {
    const { warnings } = await executions.resume(id, options);
    toast([s.resumed(), ...(warnings ?? [])].join("\n"));
  });
  const runs = fold.state === "EXECUTION_STATE_RUNNING";
  const paused = fold.state === "EXECUTION_STATE_PAUSED";
  const canResume = !runs && !isFinal(fold.state) && fold.state !== "EXECUTION_STATE_READY";
  const locked = isReadOnly();
  return (
    <div class="row controls">
      {fold.counts[DONE]! > 0 && <RunResults execution={id} />}
      {runs && (
        <Button small onClick={() => pause.press()} busy={pause.busy} disabled={locked}>
          {s.pause()}
        </Button>
      )}
      {canResume && (
        <Button
          small
          kind="primary"
          onClick={() => resume.press()}
          busy={resume.busy}
          disabled={locked}
          title={commandLine("signoff", "resume", id)}
        >
          {s.resume()}
        </Button>
      )}
      {(runs || paused) && (
        <Button small kind="danger" onClick={() => stop.press()} busy={stop.busy} disabled={locked}>
          {s.stop()}
        </Button>
      )}
    </div>
  );
}
