// What stands in the way of a first run: services that are away, no workers, a server that lets nothing be changed.
import type { ComponentChildren } from "preact";
import { type Resource, service, useResource } from "../../api";
import type { WorkerJson } from "../../gen/signoff/v1/runner_pb";
import { isReadOnly } from "../../shell/session";
import { CommandChip } from "../../ui";
import { useEvery } from "./every";
import { s } from "./strings";

const EVERY = 5000;

export function Hindrances() {
  const health = useResource((signal) => service.health({ signal }), []);
  const workers = useResource((signal) => service.workers({ signal }), []);
  useEvery(EVERY, () => {
    health.reload();
    workers.reload();
  });
  const known = health.value.value;
  const isDoorAway = health.error.value !== undefined && known === undefined;
  const isAway = (name: "runner" | "planner") => known !== undefined && known[name] !== "SERVING";
  return (
    <div class="stack hindrances" aria-live="polite">
      {isDoorAway && <Hindrance>{s.doorAway()}</Hindrance>}
      {isAway("runner") && <Hindrance>{s.runnerAway()}</Hindrance>}
      {isAway("planner") && <Hindrance>{s.plannerAway()}</Hindrance>}
      {isReadOnly() && <Hindrance>{s.readOnly()}</Hindrance>}
      {!isAway("runner") && <Lacking workers={workers} />}
    </div>
  );
}

function Lacking({ workers }: { workers: Resource<{ workers?: WorkerJson[] }> }) {
  const answer = workers.value.value;
  if (!answer || workers.error.value) return null;
  const has = (role: WorkerJson["role"]) => answer.workers?.some((one) => one.role === role && one.connected);
  const hasExecutors = has("WORKER_ROLE_EXECUTOR");
  const hasValidators = has("WORKER_ROLE_VALIDATOR");
  if (hasExecutors && hasValidators) return null;
  const role = hasExecutors ? "validator" : hasValidators ? "executor" : "both";
  const sentence = role === "both" ? s.noWorkers() : role === "executor" ? s.noExecutors() : s.noValidators();
  return (
    <Hindrance>
      <p>{sentence}</p>
      <CommandChip command={`signoff worker --role ${role} --model mock:delay=0.2`} />
    </Hindrance>
  );
}

function Hindrance({ children }: { children: ComponentChildren }) {
  return <div class="hindrance">{children}</div>;
}
