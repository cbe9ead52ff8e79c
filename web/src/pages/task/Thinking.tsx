// What the worker of the running attempt thinks aloud: what the runner has kept of it, and then live.
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { Problem, tasks, useResource } from "../../api";
import { FullView, TextView } from "../../results";
import { useExecution } from "../../stream";
import { Button, Visible } from "../../ui";
import type { TaskData } from "./data";
import { phaseName } from "./Prompts";
import { s } from "./strings";
import { joined } from "./thinking";

const TAIL = 20_000; // characters in the drawer; the full view has all

export function Thinking({ data }: { data: TaskData }) {
  useExecution(data.execution, { thinking: true });
  const { store, n } = data;
  const worker = n === undefined ? "" : store.live.worker[n];
  const thought = useThought(data, worker ?? "");
  const [isFull, setFull] = useState(false);
  if (!worker && !thought.text) return <p class="muted empty">{s.thinkingOver()}</p>;
  return (
    <section class="stack" aria-label={s.thinking()}>
      <div class="row wrap">
        <h3 class="grow">
          {s.thinks(worker ?? "")}{" "}
          {thought.phase && <span class="muted small">{phaseName(thought.phase)}</span>}
        </h3>
        {thought.text && (
          <Button small kind="quiet" onClick={() => setFull(true)}>
            {s.fullText()}
          </Button>
        )}
      </div>
      {thought.dropped && <p class="small muted">{s.dropped()}</p>}
      {thought.text ? <Tail text={thought.text} /> : <p class="muted">{s.noThinking()}</p>}
      {isFull && (
        <FullView title={s.thinks(worker ?? "")} close={() => setFull(false)}>
          <TextView text={thought.text} label={s.thinking()} fill />
        </FullView>
      )}
    </section>
  );
}

/** Shows the end of a growing text, and follows it for as long as a person has not scrolled up. */
function Tail({ text }: { text: string }) {
  const box = useRef<HTMLDivElement>(null);
  const follows = useRef(true);
  useLayoutEffect(() => {
    const element = box.current!;
    if (follows.current) element.scrollTop = element.scrollHeight;
  });
  const scrolled = () => {
    const { scrollTop, scrollHeight, clientHeight } = box.current!;
    follows.current = scrollHeight - scrollTop - clientHeight < 24;
  };
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, and is reached by keys
    <div ref={box} class="thinking-tail" onScroll={scrolled} tabIndex={0} role="log" aria-live="off">
      <Visible text={text.slice(-TAIL)} most={TAIL} />
    </div>
  );
}

type Thought = {
  readonly key: string;
  readonly phase: string;
  readonly text: string;
  readonly dropped: boolean;
};

function useThought(data: TaskData, worker: string): Thought {
  const { store, execution, id, n } = data;
  const attempt = n === undefined ? 0 : store.live.attempt[n]!;
  const phase = n === undefined ? 0 : store.live.status[n]!;
  const key = `${attempt} ${phase}`;
  const kept = useResource(
    async (signal) =>
      worker === ""
        ? undefined
        : tasks.thinking(execution, id, { signal }).catch((error: unknown) => {
            if (error instanceof Problem) return undefined; // an earlier door keeps none: what comes live is shown
            throw error;
          }),
    [execution, id, key, worker],
  );
  const [thought, setThought] = useState<Thought>({ key, phase: "", text: "", dropped: false });
  const tail = kept.value.value;
  const live = store.thinking.get(id);
  const liveText = worker && live?.attempt === attempt ? live.text : "";
  useEffect(() => {
    const before = thought.key === key ? thought.text : "";
    const known = tail?.text && !before.startsWith(tail.text.slice(0, 200)) ? tail.text : before;
    const text = joined(known, liveText);
    if (text === thought.text && thought.key === key) return;
    setThought({ key, phase: live?.phase || tail?.phase || "", text, dropped: tail?.dropped ?? false });
  }, [key, tail, liveText]);
  return thought.key === key ? thought : { key, phase: "", text: "", dropped: false };
}
