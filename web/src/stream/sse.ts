// Reads server-sent events from a stream of text, by the rules of the HTML standard.

export type Message = { readonly event: string; readonly data: string; readonly id: string };

/** Takes pieces of text and hands on each message as soon as its empty line has come. Comments count as signs of life. */
export class MessageReader {
  private rest = "";
  private data: string[] = [];
  private event = "";
  private id = "";
  /** Milliseconds to wait before connecting again, once the server has said so. */
  retry: number | undefined;

  constructor(private readonly take: (message: Message) => void) {}

  read(piece: string): void {
    const text = this.rest + piece;
    let start = 0;
    for (let end = lineEnd(text, start); end >= 0; end = lineEnd(text, start)) {
      this.line(text.slice(start, end));
      start = end + (text.startsWith("\r\n", end) ? 2 : 1);
    }
    this.rest = text.slice(start);
  }

  private line(line: string): void {
    const colon = line.indexOf(":");
    if (line === "") this.dispatch();
    if (line === "" || colon === 0) return;
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (name === "data") this.data.push(value);
    else if (name === "event") this.event = value;
    else if (name === "id" && !value.includes("\0")) this.id = value;
    else if (name === "retry" && /^[0-9]+$/.test(value)) this.retry = Number(value);
  }

  private dispatch(): void {
    if (this.data.length > 0)
      this.take({ event: this.event || "message", data: this.data.join("\n"), id: this.id });
    this.data = [];
    this.event = "";
  }
}

/** Returns where the line ends, or -1 when its end has not come. A "\r" at the very end may be half of "\r\n". */
function lineEnd(text: string, from: number): number {
  for (let at = from; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === 10) return at;
    if (code === 13) return at + 1 < text.length ? at : -1;
  }
  return -1;
}
