// Execution: the settings, the start, and what the runner finds doubtful about it.
import { useId, useState } from "preact/hooks";
import { executions } from "../../api";
import type { PlanInputJson } from "../../gen/signoff/v1/plan_pb";
import { words } from "../../i18n";
import { navigate } from "../../router";
import { Button, CommandChip, commandLine, Modal, usePress, Visible } from "../../ui";
import { Inputs } from "./Inputs";
import { flagsOf, type Given, inputsOf } from "./inputs";
import { Preview } from "./Preview";
import { FIELDS, type Field, type Form, optionsOf, settingsOf, wrongIn } from "./settings";
import { s } from "./strings";
import "./settings.css";

type Props = {
  readonly plan: string;
  /** Of the stored map: an execution that begins with another one is told of. */
  readonly digest: string | undefined;
  /** That the stored map declares; undefined until it is known. */
  readonly declared: readonly PlanInputJson[] | undefined;
  readonly isDirty: boolean;
  readonly close: () => void;
};

export function StartDialog({ plan, digest, declared, isDirty, close }: Props) {
  const [form, setForm] = useState<Form>({});
  const [given, setGiven] = useState<Given>({});
  const inputs = declared && inputsOf(declared, given);
  const [begun, setBegun] = useState<{ execution: string; warnings: readonly string[] } | undefined>();
  const set = (name: string, value: string) => setForm({ ...form, [name]: value });
  const isWrong = !inputs || FIELDS.some((field) => wrongIn(field, form) !== undefined);
  const { press, busy } = usePress(async (options) => {
    const { execution, warnings = [] } = await executions.start(plan, settingsOf(form), inputs, options);
    const id = execution?.executionId ?? "";
    const all = digest && execution?.mapDigest !== digest ? [s.olderMap(), ...warnings] : warnings;
    if (all.length) setBegun({ execution: id, warnings: all });
    else navigate({ page: "run", execution: id });
  });
  if (begun) return <Doubtful {...begun} close={close} />;
  const send = (event: Event) => {
    event.preventDefault();
    if (!isWrong) void press();
  };
  return (
    <Modal title={s.startTitle(plan)} close={close} wide>
      <form class="stack" onSubmit={send}>
        {isDirty && <p class="plan-notice">{s.startUnsaved()}</p>}
        {declared !== undefined && declared.length > 0 && (
          <Inputs
            declared={declared}
            given={given}
            set={(name, value) => setGiven((now) => ({ ...now, [name]: value }))}
          />
        )}
        <p class="small muted">{s.defaults()}</p>
        <div class="settings">
          {FIELDS.filter(({ isCommon }) => isCommon).map((field) => (
            <Setting key={field.name} field={field} form={form} set={set} />
          ))}
          <Choice
            label={s.onFailure()}
            value={form.onFailure}
            set={(value) => set("onFailure", value)}
            options={[
              ["", s.asPlan()],
              ["ON_FAILURE_CONTINUE", s.goOn()],
              ["ON_FAILURE_STOP", s.stopAll()],
            ]}
          />
          <Choice
            label={s.reuse()}
            value={form.reuse}
            set={(value) => set("reuse", value)}
            options={[
              ["", s.yes()],
              ["no", s.no()],
            ]}
          />
        </div>
        <details>
          <summary>{s.moreSettings()}</summary>
          <div class="settings">
            {FIELDS.filter(({ isCommon }) => !isCommon).map((field) => (
              <Setting key={field.name} field={field} form={form} set={set} />
            ))}
            <Choice
              label={s.keepPrompts()}
              value={form.keepPrompts}
              set={(value) => set("keepPrompts", value)}
              options={[
                ["", s.yes()],
                ["no", s.no()],
              ]}
            />
            <Choice
              label={s.rollbackScope()}
              value={form.rollbackScope}
              set={(value) => set("rollbackScope", value)}
              options={[
                ["", s.downstream()],
                ["ROLLBACK_SCOPE_PRODUCERS", s.producers()],
              ]}
            />
          </div>
        </details>
        {!isWrong && <Preview plan={plan} settings={{ reuse: form.reuse !== "no" }} inputs={inputs} />}
        <Command plan={plan} form={form} flags={flagsOf(declared ?? [], given)} />
        <div class="row end">
          <Button onClick={close}>{words.cancel()}</Button>
          <Button kind="primary" type="submit" busy={busy} disabled={isWrong}>
            {s.start()}
          </Button>
        </div>
      </form>
    </Modal>
  );
}

function Setting({
  field,
  form,
  set,
}: {
  field: Field;
  form: Form;
  set: (name: string, value: string) => void;
}) {
  const id = useId();
  const wrong = wrongIn(field, form);
  return (
    <label class="setting">
      <span class="small">{field.label()}</span>
      <input
        class="field numbers"
        inputMode={field.least < 0 ? "text" : "decimal"}
        value={form[field.name] ?? ""}
        placeholder={field.usual === undefined ? s.noBound() : String(field.usual)}
        aria-invalid={wrong !== undefined}
        aria-describedby={wrong && id}
        onInput={(event) => set(field.name, event.currentTarget.value)}
      />
      {wrong && (
        <span id={id} class="small wrong" role="alert">
          {wrong}
        </span>
      )}
    </label>
  );
}

function Choice(props: {
  label: string;
  value: string | undefined;
  set: (value: string) => void;
  options: readonly (readonly [string, string])[];
}) {
  return (
    <label class="setting">
      <span class="small">{props.label}</span>
      <select
        class="field"
        value={props.value ?? ""}
        onChange={(event) => props.set(event.currentTarget.value)}
      >
        {props.options.map(([value, label]) => (
          <option key={value} value={value}>
            {label}
          </option>
        ))}
      </select>
    </label>
  );
}

function Command({ plan, form, flags }: { plan: string; form: Form; flags: readonly string[] }) {
  const { options, without } = optionsOf(form);
  return (
    <div class="stack tight">
      <span class="small muted">{words.commandLine()}</span>
      <CommandChip
        command={commandLine(
          "signoff",
          "submit",
          `${plan}.json`,
          "--plan-id",
          plan,
          "--new",
          "--detach",
          ...flags,
          ...options,
        )}
      />
      {without.length > 0 && <span class="small muted">{s.withoutFlag(without.join(", "))}</span>}
    </div>
  );
}

function Doubtful({
  execution,
  warnings,
  close,
}: {
  execution: string;
  warnings: readonly string[];
  close: () => void;
}) {
  return (
    <Modal title={s.warnings()} close={close} wide>
      <div class="stack">
        <ul class="warnings">
          {warnings.map((sentence) => (
            <li key={sentence}>
              <Visible text={sentence} most={600} />
            </li>
          ))}
        </ul>
        <div class="row end">
          <Button onClick={close}>{words.close()}</Button>
          <Button kind="primary" onClick={() => navigate({ page: "run", execution })}>
            {s.toRun()}
          </Button>
        </div>
      </div>
    </Modal>
  );
}
