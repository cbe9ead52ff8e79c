// A result as people read it, with its source beside, a download, and a view that fills the window.
import { useEffect, useId, useMemo, useState } from "preact/hooks";
import { useResource } from "../api";
import { Button, Failed, format, Lazy, Loading, Tabs, Visible } from "../ui";
import { visible } from "../ui/visible";
import { type Content, FIRST, fetchContent, firstPart, NOTHING } from "./content";
import { type Passage, passagesIn, type Quoted } from "./evidence";
import { FullView } from "./FullView";
import { isShownAsPicture, kindOf, type View } from "./kind";
import type { MarkdownProps } from "./MarkdownView";
import type { Linked } from "./markdown";
import { type Places, placesInGrid, placesInTree } from "./places";
import { type Focus, type Shown, shownOf } from "./shown";
import { s } from "./strings";
import { GridTable } from "./TableView";
import { TextView } from "./TextView";
import { JsonTree } from "./TreeView";
import "./results.css";

const markdown = () => import("./MarkdownView");
const MORE = 4 * FIRST; // bytes that each press shows besides
const MOST_MARKDOWN = 256 * 1024; // characters rendered; the source has all
const NONE: readonly Quoted[] = [];
const NO_MARKS: ReadonlySet<number> = new Set();

export type ResultProps = {
  /** Where its bytes are, and where they are a download. */
  readonly url: string;
  readonly downloadUrl: string;
  readonly mediaType: string | undefined;
  readonly size: number;
  readonly name: string;
  /** Of a file of a result: what it says of itself when it cannot be shown. */
  readonly digest?: string | undefined;
  /** Of a file of a result: which files the addresses in a document mean. */
  readonly linked?: Linked | undefined;
  /** What a verdict quotes. Must stay the same object for as long as it says the same. */
  readonly quoted?: readonly Quoted[] | undefined;
  readonly focus?: Focus | undefined;
  /** Tells which of `quoted` are in the text. */
  readonly found?: ((marks: ReadonlySet<number>) => void) | undefined;
};

export function ResultView(props: ResultProps) {
  const [isFull, setFull] = useState(false);
  return (
    <div class="result">
      <Result {...props} enlarge={() => setFull(true)} />
      {isFull && (
        <FullView title={props.name} close={() => setFull(false)}>
          <Result {...props} found={undefined} fill />
        </FullView>
      )}
    </div>
  );
}

type InnerProps = ResultProps & {
  fill?: boolean;
  enlarge?: () => void;
};

function Result(props: InnerProps) {
  const { url, mediaType, size } = props;
  const isPicture = kindOf(mediaType) === "picture";
  const [limit, setLimit] = useState(firstPart(mediaType, size));
  const content = useResource(
    async (signal) => (isPicture || size === 0 ? NOTHING : fetchContent(url, limit, signal)),
    [url, limit, isPicture],
  );
  if (isPicture) return <Picture {...props} />;
  if (content.error.value) return <Failed error={content.error.value} again={content.reload} />;
  if (!content.value.value) return <Loading />;
  return <Text {...props} content={content.value.value} more={() => setLimit(limit + MORE)} />;
}

type TextProps = InnerProps & { content: Content; more: () => void };

function Text(props: TextProps) {
  const { content, mediaType, quoted = NONE, found, focus, name, fill = false } = props;
  const id = useId();
  const shown = useMemo(() => shownOf(content, mediaType), [content, mediaType]);
  const passages = useMemo(() => passagesIn(content.text, quoted), [content, quoted]);
  const inGrid = useMemo(
    () => (shown.grid && quoted.length ? placesInGrid(shown.grid, quoted) : undefined),
    [shown, quoted],
  );
  const inTree = useMemo(
    () => (shown.value !== undefined && quoted.length ? placesInTree(shown.value, quoted) : undefined),
    [shown, quoted],
  );
  const [chosen, choose] = useState<View | undefined>();
  const view = chosen && shown.views.includes(chosen) ? chosen : shown.views[0];
  const [inDocument, setInDocument] = useState<ReadonlySet<number>>(NO_MARKS);
  const marks = useMemo<Readonly<Partial<Record<View, ReadonlySet<number>>>>>(
    () => ({
      source: new Set(passages.flatMap((one) => one.marks)),
      markdown: inDocument,
      table: inGrid?.marks ?? NO_MARKS,
      tree: inTree?.marks ?? NO_MARKS,
    }),
    [passages, inDocument, inGrid, inTree],
  );
  useEffect(() => {
    found?.(new Set(Object.values(marks).flatMap((one) => [...one])));
  }, [marks, found]);
  useEffect(() => {
    const has = (one: View | undefined) => focus && one && marks[one]?.has(focus.mark);
    if (focus && !has(view)) choose((["source", ...shown.views] as const).find(has) ?? view);
  }, [focus]);
  return (
    <>
      <Bar {...props} shown={shown} view={view} choose={choose} panel={id} />
      <Notes content={content} shown={shown} view={view} more={props.more} />
      <div id={id} class={`result-room ${fill ? "fill" : ""}`} role="tabpanel" aria-label={visible(name)}>
        {content.isText && content.text === "" ? (
          <p class="muted">{s.empty()}</p>
        ) : (
          <Body
            {...props}
            found={setInDocument}
            shown={shown}
            view={view}
            passages={passages}
            inGrid={inGrid}
            inTree={inTree}
          />
        )}
      </div>
    </>
  );
}

type BarProps = InnerProps & {
  shown?: Shown;
  view?: View | undefined;
  choose?: (view: View) => void;
  panel?: string;
};

function Bar({ shown, view, choose, panel, enlarge, downloadUrl, mediaType, size }: BarProps) {
  return (
    <div class="row wrap result-bar">
      {shown && view && choose && shown.views.length > 1 && (
        <Tabs
          label={s.views()}
          panel={panel ?? ""}
          tabs={shown.views.map((key) => ({ key, label: s[key]() }))}
          current={view}
          choose={choose}
        />
      )}
      <span class="grow" />
      <span class="muted small numbers">
        {visible(mediaType ?? "")} · {format.size(size)}
      </span>
      {enlarge && (
        <Button small kind="quiet" onClick={enlarge}>
          {s.full()}
        </Button>
      )}
      <a class="button compact" href={downloadUrl} download>
        {s.download()}
      </a>
    </div>
  );
}

type NotesProps = { content: Content; shown: Shown; view: View | undefined; more: () => void };

function Notes({ content, shown, view, more }: NotesProps) {
  const isCut = content.shown < content.total;
  const sizes = [format.size(content.shown), format.size(content.total)] as const;
  const isRenderedCut = view === "markdown" && content.text.length > MOST_MARKDOWN;
  return (
    <>
      {shown.isTooLarge && <p class="result-note">{s.tooLarge(format.size(content.total))}</p>}
      {shown.fault && (
        <p class="result-note">
          <Visible text={s.notJson(shown.fault)} most={400} />
        </p>
      )}
      {isRenderedCut && (
        <p class="result-note">{s.shown(format.size(MOST_MARKDOWN), format.size(content.total))}</p>
      )}
      {isCut && content.isText && !isRenderedCut && (
        <div class="row wrap result-note">
          <span>
            {view === "table" && shown.grid
              ? s.shownRows(format.count(shown.grid.rows.length), ...sizes)
              : s.shown(...sizes)}
          </span>
          <Button small onClick={more}>
            {s.more()}
          </Button>
        </div>
      )}
    </>
  );
}

type BodyProps = Omit<TextProps, "found"> & {
  shown: Shown;
  view: View | undefined;
  passages: readonly Passage[];
  inGrid: Places<number> | undefined;
  inTree: Places<string> | undefined;
  found: (marks: ReadonlySet<number>) => void;
};

function Body(props: BodyProps) {
  const { content, shown, view, passages, focus, quoted = NONE, name, found, fill = false } = props;
  switch (view) {
    case "markdown": {
      const text = content.text.slice(0, MOST_MARKDOWN);
      const { linked } = props;
      return <Lazy<MarkdownProps> load={markdown} props={{ text, quoted, focus, found, linked }} />;
    }
    case "table":
      return <GridTable grid={shown.grid!} places={props.inGrid} focus={focus} fill={fill} />;
    case "tree":
      return <JsonTree value={shown.value!} places={props.inTree} focus={focus} fill={fill} />;
    case "picture":
      return <Drawing text={content.text} name={name} fill={fill} />;
    case "source":
      return <TextView text={content.text} label={name} passages={passages} focus={focus} fill={fill} />;
    default:
      return <Facts {...props} />;
  }
}

/** What is known of bytes that are not shown. */
function Facts({ mediaType, size, digest }: InnerProps) {
  return (
    <>
      <p class="muted">{s.notShown()}</p>
      <dl class="file-facts small">
        <dt>{s.mediaType()}</dt>
        <dd>{visible(mediaType ?? "")}</dd>
        <dt>{s.size()}</dt>
        <dd>{format.size(size)}</dd>
        {digest && (
          <>
            <dt>SHA-256</dt>
            <dd class="mono">{digest}</dd>
          </>
        )}
      </dl>
    </>
  );
}

/** A picture of pixels. The door sends it with a policy of its own, by which it may load nothing. */
function Picture(props: InnerProps) {
  const { found } = props;
  useEffect(() => found?.(NO_MARKS), [found]);
  return (
    <>
      <Bar {...props} />
      {isShownAsPicture(props.mediaType ?? "", props.size) ? (
        <Image {...props} src={props.url} />
      ) : (
        <Facts {...props} />
      )}
    </>
  );
}

/**
 * An SVG drawing, as an image element alone, never as a part of the page: in an image no script runs, and nothing that it
 * refers to is fetched. Its address is gone once it is shown: it cannot be opened as a document, which could do both.
 */
function Drawing({ text, name, fill }: { text: string; name: string; fill: boolean }) {
  const [src, setSrc] = useState("");
  useEffect(() => {
    const url = URL.createObjectURL(new Blob([text], { type: "image/svg+xml" }));
    setSrc(url);
    return () => URL.revokeObjectURL(url);
  }, [text]);
  return src ? <Image key={src} src={src} name={name} fill={fill} /> : null;
}

type ImageProps = { src: string; name: string; fill?: boolean };

function Image({ src, name, fill = false }: ImageProps) {
  const [isBroken, setBroken] = useState(false);
  const [isReal, setReal] = useState(false);
  const [measures, setMeasures] = useState("");
  if (isBroken) return <p class="result-note">{s.noPicture()}</p>;
  return (
    <>
      <div class="row">
        <Button small kind="quiet" aria-pressed={isReal} onClick={() => setReal(!isReal)}>
          {s.realSize()}
        </Button>
        <span class="small muted numbers">{measures}</span>
      </div>
      <div
        class={`picture-room ${fill ? "fill" : ""} ${isReal ? "real" : ""}`}
        tabIndex={isReal ? 0 : undefined}
      >
        <img
          src={src}
          alt={s.pictureOf(visible(name))}
          onLoad={({ currentTarget: image }) => {
            setMeasures(`${image.naturalWidth} × ${image.naturalHeight}`);
            URL.revokeObjectURL(src);
          }}
          onError={() => setBroken(true)}
        />
      </div>
    </>
  );
}
