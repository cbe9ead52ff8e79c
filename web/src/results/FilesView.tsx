// A result of several files: their list, and the one that is chosen as people read it. The main file comes first.
import { useId, useMemo, useState } from "preact/hooks";
import { type FilesJson, useResource } from "../api";
import { words } from "../i18n";
import { Failed, format, Loading, useShortcuts, VirtualList, Visible } from "../ui";
import { visible } from "../ui/visible";
import { fileMeant, filesOf, markOf, type ResultFile, type ResultFiles } from "./files";
import { isShownAsPicture } from "./kind";
import { movedBy } from "./moves";
import { type ResultProps, ResultView } from "./ResultView";
import { s } from "./strings";
import "./files.css";

const ROW = 28;
const MOST_ROWS = 6; // of the list that are in view
const FEW = 12; // files that need no search

type Props = Pick<ResultProps, "quoted" | "focus" | "found"> & {
  /** What the files are of; the list is asked for again when it changes. */
  readonly of: string;
  readonly list: (signal: AbortSignal) => Promise<FilesJson>;
  readonly address: (path: string, download?: boolean) => string;
  /** Where all of them are one file. */
  readonly zip: string;
  /** The path of the file that is open; the main one when there is no such file. */
  readonly chosen: string | undefined;
  readonly choose: (path: string) => void;
};

export function FilesView(props: Props) {
  const list = useResource(async (signal) => filesOf(await props.list(signal)), [props.of]);
  if (list.error.value) return <Failed error={list.error.value} again={list.reload} />;
  return list.value.value ? <Files {...props} told={list.value.value} /> : <Loading />;
}

function Files({ told, chosen, choose, address, zip, ...evidence }: Props & { told: ResultFiles }) {
  const byPath = useMemo(() => new Map(told.files.map((file) => [file.path, file])), [told]);
  const file = byPath.get(chosen ?? "") ?? byPath.get(told.main) ?? told.files[0];
  const linked = useMemo(
    () => (written: string) => {
      const meant = file && fileMeant(byPath, file.path, written);
      return (
        meant && {
          url: isShownAsPicture(meant.mediaType, meant.size) ? address(meant.path) : undefined,
          open: () => choose(meant.path),
        }
      );
    },
    [byPath, file],
  );
  if (!file) return null;
  return (
    <div class="stack">
      <FileList told={told} current={file.path} choose={choose} zip={zip} />
      <h3 class="file-name" dir="ltr">
        <Visible text={file.path} most={300} />
      </h3>
      <ResultView
        key={file.path}
        {...evidence}
        url={address(file.path)}
        downloadUrl={address(file.path, true)}
        mediaType={file.mediaType}
        size={file.size}
        digest={file.digest}
        name={file.path}
        linked={linked}
      />
    </div>
  );
}

type ListProps = { told: ResultFiles; current: string; choose: (path: string) => void; zip: string };

function FileList({ told, current, choose, zip }: ListProps) {
  const id = useId();
  const [sought, seek] = useState("");
  const shown = useMemo(() => {
    const part = sought.trim().toLowerCase();
    return told.files.filter(({ path }) => path.toLowerCase().includes(part));
  }, [told, sought]);
  const total = useMemo(() => told.files.reduce((sum, { size }) => sum + size, 0), [told]);
  const at = useMemo(() => shown.findIndex(({ path }) => path === current), [shown, current]);
  const move = (key: string): boolean => {
    const next = shown[movedBy(key, at, shown.length) ?? -1];
    if (next) choose(next.path);
    return next !== undefined;
  };
  useShortcuts([
    { key: "j", what: s.keyFile(), run: () => move("ArrowDown") },
    { key: "k", what: s.keyFile(), run: () => move("ArrowUp") },
  ]);
  const press = (event: KeyboardEvent) => {
    const isWriting = event.target instanceof HTMLInputElement && !event.key.startsWith("Arrow");
    if (isWriting || !move(event.key)) return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the list within has the focus, and its keys come up here
    <div class="file-list stack" onKeyDown={press}>
      <div class="row wrap">
        <span class="grow small muted numbers">{words.filesN(told.files.length, format.size(total))}</span>
        {told.files.length > FEW && (
          <input
            type="search"
            class="field"
            value={sought}
            placeholder={words.search()}
            aria-label={words.search()}
            onInput={(event) => seek(event.currentTarget.value)}
          />
        )}
        <a class="button compact" href={zip} download>
          {s.allFiles()}
        </a>
      </div>
      <div
        class="file-rows"
        style={{ height: `${Math.max(1, Math.min(shown.length, MOST_ROWS)) * ROW + 2}px` }}
      >
        <VirtualList
          count={shown.length}
          rowHeight={ROW}
          role="listbox"
          label={s.files()}
          current={at}
          active={at < 0 ? undefined : `${id}${at}`}
          keyOf={(n) => shown[n]?.path ?? n}
          row={(n) => {
            const file = shown[n];
            return (
              file && (
                <Row
                  id={`${id}${n}`}
                  place={n + 1}
                  of={shown.length}
                  file={file}
                  isCurrent={n === at}
                  isMain={file.path === told.main}
                  press={() => choose(file.path)}
                />
              )
            );
          }}
        />
      </div>
    </div>
  );
}

type RowProps = {
  id: string;
  place: number;
  of: number;
  file: ResultFile;
  isCurrent: boolean;
  isMain: boolean;
  press: () => void;
};

function Row({ id, place, of, file, isCurrent, isMain, press }: RowProps) {
  const { path, mediaType, size } = file;
  const folder = path.lastIndexOf("/") + 1;
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the list answers the keys for all of its rows
    <div
      id={id}
      class="file-row"
      role="option"
      aria-selected={isCurrent}
      aria-posinset={place}
      aria-setsize={of}
      onClick={press}
    >
      <span class="file-mark" title={visible(mediaType)}>
        {markOf(mediaType)}
      </span>
      <span class="grow ellipsis" dir="ltr" title={visible(path.slice(0, 2000))}>
        <span class="muted">{visible(path.slice(0, folder))}</span>
        {visible(path.slice(folder))}
      </span>
      {isMain && <span class="small muted">{s.mainFile()}</span>}
      <span class="small muted numbers">{format.size(size)}</span>
    </div>
  );
}
