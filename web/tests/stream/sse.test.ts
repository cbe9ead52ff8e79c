import { describe, expect, it } from "vitest";
import { type Message, MessageReader } from "../../src/stream/sse";

const TEXT = ': hello\nretry: 2000\n\nid: a1\nevent: events\ndata: {"a":\r\ndata: 1}\r\n\r\ndata: alone\n\n';

function read(pieces: string[]): Message[] {
  const messages: Message[] = [];
  const reader = new MessageReader((message) => messages.push(message));
  for (const piece of pieces) reader.read(piece);
  return messages;
}

describe("server-sent events", () => {
  const whole = [
    { event: "events", data: '{"a":\n1}', id: "a1" },
    { event: "message", data: "alone", id: "a1" },
  ];

  it("come as messages, with the last id", () => {
    expect(read([TEXT])).toEqual(whole);
  });

  it("are the same, wherever the text is cut", () => {
    for (let at = 0; at <= TEXT.length; at += 1)
      expect(read([TEXT.slice(0, at), TEXT.slice(at)])).toEqual(whole);
    expect(read([...TEXT])).toEqual(whole);
  });

  it("wait for their empty line", () => {
    expect(read(["data: half\n"])).toEqual([]);
  });
});
