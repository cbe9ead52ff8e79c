import { words } from "../../i18n";
import { Button, Visible } from "../../ui";
import type { Timetable } from "./grid";
import { s } from "./strings";

/** What the layout knows of a task or a group, with ways to what is around it and to its place in the text. */
export function TaskCard(props: {
  table: Timetable;
  id: string | undefined;
  select: (id: string) => void;
  findInText: ((id: string) => void) | undefined;
}) {
  const { table, id, select, findInText } = props;
  const entry = table.entries.get(id ?? "");
  if (!entry) return <p class="small muted">{s.chooseTask()}</p>;
  return (
    <section class="card stack task-card" aria-label={s.taskDetails()}>
      <div class="row wrap">
        <h3 class="mono">{entry.id}</h3>
        <span class="small muted">
          {entry.atomic ? words.task() : words.group()}
          {entry.stage > 0 && ` · ${words.stageN(entry.stage)}`}
        </span>
      </div>
      <p>
        <Visible text={entry.description} most={800} />
      </p>
      <Around label={s.waitsFor()} ids={table.before.get(entry.id)} select={select} />
      <Around label={s.neededBy()} ids={table.after.get(entry.id)} select={select} />
      {findInText && (
        <div>
          <Button small onClick={() => findInText(entry.id)}>
            {s.findInText()}
          </Button>
        </div>
      )}
    </section>
  );
}

const MOST = 40;

function Around({
  label,
  ids = [],
  select,
}: {
  label: string;
  ids?: readonly string[] | undefined;
  select: (id: string) => void;
}) {
  return (
    <div class="stack tight">
      <span class="small muted">{label}</span>
      <div class="task-links">
        {ids.length === 0 && <span class="small">{s.nothing()}</span>}
        {ids.slice(0, MOST).map((id) => (
          <button key={id} type="button" onClick={() => select(id)}>
            {id}
          </button>
        ))}
        {ids.length > MOST && <span class="small muted">+{ids.length - MOST}</span>}
      </div>
    </div>
  );
}
