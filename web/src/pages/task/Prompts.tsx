// What a model was asked in an attempt, as it was sent: message by message.
import { useState } from "preact/hooks";
import { Problem, type PromptSummary, tasks, useResource } from "../../api";
import { FullView, TextView } from "../../results";
import { Button, Failed, format, Loading } from "../../ui";
import type { TaskData } from "./data";
import { s } from "./strings";

export function Prompts({ data, attempt }: { data: TaskData; attempt: number }) {
  const prompts = useResource(
    async (signal): Promise<{ prompts?: PromptSummary[] }> =>
      attempt === 0 ? {} : tasks.prompts(data.execution, data.id, attempt, { signal }),
    [data.execution, data.id, attempt, data.attempts.value.value],
  );
  const [chosen, choose] = useState<string | undefined>();
  if (prompts.error.value) {
    if (isNotOffered(prompts.error.value)) return <p class="muted empty">{s.noPromptsHere()}</p>;
    return <Failed error={prompts.error.value} again={prompts.reload} />;
  }
  if (!prompts.value.value) return <Loading />;
  const all = prompts.value.value.prompts ?? [];
  if (all.length === 0)
    return <p class="muted empty">{attempt === 0 ? s.nothingYet() : s.noPrompts(attempt)}</p>;
  const current = all.find(({ digest }) => digest === chosen) ?? all[0]!;
  return (
    <div class="stack">
      <div class="row wrap" role="group" aria-label={s.prompt()}>
        {all.map((one) => (
          <button
            key={`${one.digest} ${one.phase}`}
            type="button"
            class="chip"
            aria-pressed={one === current}
            onClick={() => choose(one.digest)}
          >
            {phaseName(one.phase)} <span class="muted small">{format.size(one.sizeBytes)}</span>
          </button>
        ))}
      </div>
      <Prompt key={current.digest} data={data} attempt={attempt} one={current} />
    </div>
  );
}

/** The path is not there, or what it asks is not: an earlier door, or an earlier runner, which keeps no prompts. */
function isNotOffered(error: unknown): boolean {
  if (!(error instanceof Problem)) return false;
  const isNoPath = error.isMissing && ["NOT_FOUND", ""].includes(error.reason);
  return isNoPath || (error.status >= 500 && error.message.includes("UNIMPLEMENTED"));
}

export function phaseName(phase: string | undefined): string {
  return phase?.toUpperCase().endsWith("VALIDATE") ? s.validate() : s.execute();
}

function Prompt({ data, attempt, one }: { data: TaskData; attempt: number; one: PromptSummary }) {
  const text = useResource(
    (signal) => tasks.prompt(data.execution, data.id, attempt, one.digest ?? "", { signal }),
    [one.digest],
  );
  if (text.error.value) return <Failed error={text.error.value} again={text.reload} />;
  if (text.value.value === undefined) return <Loading />;
  return (
    <>
      {messagesOf(text.value.value).map(({ role, content }, n) => (
        <Message key={n} role={role} content={content} />
      ))}
    </>
  );
}

function Message({ role, content }: { role: string; content: string }) {
  const [isFull, setFull] = useState(false);
  return (
    <section class="message">
      <div class="row">
        <h3 class="grow">{role}</h3>
        <Button small kind="quiet" onClick={() => setFull(true)}>
          {s.fullText()}
        </Button>
      </div>
      <TextView text={content} label={role} />
      {isFull && (
        <FullView title={role} close={() => setFull(false)}>
          <TextView text={content} label={role} fill />
        </FullView>
      )}
    </section>
  );
}

type MessageText = { readonly role: string; readonly content: string };

/** Returns the messages of a prompt; one that is not in the form of messages is one message as it stands. */
export function messagesOf(text: string): MessageText[] {
  try {
    const value: unknown = JSON.parse(text);
    const list = Array.isArray(value) ? value : (value as { messages?: unknown } | null)?.messages;
    if (!Array.isArray(list) || list.length === 0) return [{ role: "", content: text }];
    return list.map((one: { role?: unknown; content?: unknown }) => ({
      role: String(one?.role ?? ""),
      content: typeof one?.content === "string" ? one.content : JSON.stringify(one?.content ?? one, null, 2),
    }));
  } catch {
    return [{ role: "", content: text }]; // a text of another form is shown as it is
  }
}
