// How a result is shown: by its media type, else by what its text looks like.

/** The views of results. `source` is there for every text. */
export type View = "markdown" | "table" | "tree" | "picture" | "source";
export type Kind =
  | "markdown"
  | "separated"
  | "json"
  | "lines"
  | "picture"
  | "drawing"
  | "code"
  | "text"
  | "unknown";

const PICTURES = new Set(["png", "jpeg", "gif", "webp", "avif", "bmp"].map((name) => `image/${name}`));
const KINDS: Readonly<Record<string, Kind>> = {
  "text/markdown": "markdown",
  "text/csv": "separated",
  "text/tab-separated-values": "separated",
  "application/json": "json",
  "application/jsonl": "lines",
  "application/x-ndjson": "lines",
  "text/plain": "text",
  "application/yaml": "code",
  "application/xml": "code",
  "image/svg+xml": "drawing",
  "application/javascript": "code",
  "application/sql": "code",
};

/** Returns the media type without its parameters. */
export function bareType(mediaType: string | undefined): string {
  return (mediaType ?? "").split(";", 1)[0]!.trim().toLowerCase();
}

export function kindOf(mediaType: string | undefined): Kind {
  const bare = bareType(mediaType);
  if (PICTURES.has(bare)) return "picture";
  if (bare.endsWith("+json")) return "json";
  if (Object.hasOwn(KINDS, bare)) return KINDS[bare]!;
  return bare.startsWith("text/") || bare.endsWith("+xml") ? "code" : "unknown";
}

const MOST_PICTURE = 50 * 1024 * 1024; // bytes that the browser is given to decode

/** Tells whether a file is a picture that an image element is to show; what is in it shows then. */
export function isShownAsPicture(mediaType: string, size: number): boolean {
  const kind = kindOf(mediaType);
  return (kind === "picture" || kind === "drawing") && size <= MOST_PICTURE;
}

/** Tells whether a text is an SVG drawing: its first element says so, after what may stand before that. */
export function isDrawing(text: string): boolean {
  let rest = text
    .slice(0, 8192)
    .replace(/^\ufeff/, "")
    .trimStart();
  while (rest.startsWith("<?") || rest.startsWith("<!")) {
    const end = endOfMarkup(rest);
    if (end < 0) return false;
    rest = rest.slice(end).trimStart();
  }
  return /^<svg[\s/>]/.test(rest);
}

/** Returns where an instruction, a comment or a document type at the beginning of a text ends; -1: it does not. */
function endOfMarkup(text: string): number {
  const after = (closer: string) => {
    const at = text.indexOf(closer);
    return at < 0 ? -1 : at + closer.length;
  };
  if (text.startsWith("<?")) return after("?>");
  if (text.startsWith("<!--")) return after("-->");
  const inner = text.indexOf("[");
  return inner >= 0 && inner < text.indexOf(">") ? after("]>") : after(">");
}

/** Tells whether bytes of no known kind are text: UTF-8 without the zero bytes that pictures and archives have. */
export function isText(bytes: Uint8Array): boolean {
  const head = bytes.subarray(0, 4096);
  if (head.includes(0)) return false;
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(head, { stream: true });
    return true;
  } catch {
    return false;
  }
}
