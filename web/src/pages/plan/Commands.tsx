import { plans } from "../../api";
import { words } from "../../i18n";
import { CommandChip, commandLine } from "../../ui";
import { s } from "./strings";

/** What the buttons of the page do, as command lines. */
export function Commands({ plan, infer }: { plan: string; infer: boolean }) {
  const more = infer ? [] : ["--no-infer"];
  return (
    <details class="plan-commands">
      <summary class="small">{words.commandLine()}</summary>
      <dl>
        <dt>{s.generateMap()}</dt>
        <dd>
          <CommandChip
            command={commandLine(
              "signoff",
              "compile",
              `${plan}.json`,
              "--plan-id",
              plan,
              ...more,
              "-o",
              "execution.json",
            )}
          />
        </dd>
        <dt>{s.execution()}</dt>
        <dd>
          <CommandChip
            command={commandLine(
              "signoff",
              "submit",
              `${plan}.json`,
              "--plan-id",
              plan,
              ...more,
              "--new",
              "--detach",
            )}
          />
        </dd>
        <dt>{s.runs()}</dt>
        <dd>
          <CommandChip command={commandLine("signoff", "status", "--plan", plan)} />
        </dd>
        <dt>execution.json</dt>
        <dd>
          <a href={plans.executionJson(plan)} download="execution.json">
            execution.json
          </a>
        </dd>
      </dl>
    </details>
  );
}
