// Questions before what cannot be undone. One dialog at a time, shown by the shell: `await ask({...})` from anywhere.
import { signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { strings, words } from "../i18n";
import { Button } from "./Button";
import { CommandChip } from "./CommandChip";
import "./dialog.css";

const s = strings({
  takesBack: ["What it will take back, and cost", "将撤回的内容与代价"],
});

export type Question = {
  readonly title: string;
  readonly body?: ComponentChildren;
  /** What is lost by it, and what it costs. */
  readonly takesBack?: ComponentChildren;
  /** The same on the command line. */
  readonly command?: string | ((text: string) => string);
  readonly action: string;
  readonly danger?: boolean;
  /** Asks for a text too; `required`: the action waits for one. */
  readonly text?: { readonly label: string; readonly required?: boolean; readonly initial?: string };
};

export type Answer = { readonly text: string } | undefined;

const asked = signal<{ question: Question; answer: (answer: Answer) => void } | undefined>(undefined);

/** Shows the question. Returns undefined when the person thinks better of it. */
export function ask(question: Question): Promise<Answer> {
  asked.value?.answer(undefined);
  return new Promise((resolve) => {
    asked.value = {
      question,
      answer: (answer) => {
        asked.value = undefined;
        resolve(answer);
      },
    };
  });
}

export function DialogHost() {
  const current = asked.value;
  return current ? <Asking key={current.question.title} {...current} /> : null;
}

function Asking({ question, answer }: { question: Question; answer: (answer: Answer) => void }) {
  const [text, setText] = useState(question.text?.initial ?? "");
  const isReady = !question.text?.required || text.trim() !== "";
  const command = typeof question.command === "function" ? question.command(text) : question.command;
  const send = (event: Event) => {
    event.preventDefault();
    if (isReady) answer({ text });
  };
  return (
    <Modal title={question.title} close={() => answer(undefined)}>
      <form class="stack" onSubmit={send}>
        {question.body && <div>{question.body}</div>}
        {question.takesBack && (
          <div class="takes-back">
            <h3>{s.takesBack()}</h3>
            <div>{question.takesBack}</div>
          </div>
        )}
        {question.text && (
          <label class="stack tight">
            <span>{question.text.label}</span>
            <textarea
              class="field"
              rows={3}
              value={text}
              onInput={(event) => setText(event.currentTarget.value)}
            />
          </label>
        )}
        {command && (
          <div class="stack tight">
            <span class="small muted">{words.commandLine()}</span>
            <CommandChip command={command} />
          </div>
        )}
        <div class="row end">
          <Button onClick={() => answer(undefined)}>{words.cancel()}</Button>
          <Button kind={question.danger ? "danger" : "primary"} type="submit" disabled={!isReady}>
            {question.action}
          </Button>
        </div>
      </form>
    </Modal>
  );
}

/** A dialog over the page; the rest cannot be reached until it is closed. */
export function Modal(props: {
  title: string;
  close: () => void;
  children: ComponentChildren;
  wide?: boolean;
}) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  const cancel = (event: Event) => {
    event.preventDefault();
    props.close();
  };
  return (
    <dialog
      ref={dialog}
      class={`dialog ${props.wide ? "wide" : ""}`}
      aria-label={props.title}
      onCancel={cancel}
    >
      <div class="row dialog-head">
        <h2 class="grow">{props.title}</h2>
        <button type="button" class="close" aria-label={words.close()} onClick={props.close}>
          ×
        </button>
      </div>
      {props.children}
    </dialog>
  );
}
