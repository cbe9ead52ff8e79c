// Markdown as a document. A module of its own, since the renderer is fetched for the first Markdown only.
import { useLayoutEffect, useRef } from "preact/hooks";
import { language } from "../i18n";
import type { Quoted } from "./evidence";
import { type Linked, renderMarkdown } from "./markdown";
import type { Focus } from "./shown";
import { s } from "./strings";

export type MarkdownProps = {
  text: string;
  quoted: readonly Quoted[];
  focus: Focus | undefined;
  linked?: Linked | undefined;
  /** Tells which results have evidence in the document. */
  found: (marks: ReadonlySet<number>) => void;
};

export default function MarkdownView({ text, quoted, focus, found, linked }: MarkdownProps) {
  const box = useRef<HTMLDivElement>(null);
  const spoken = language.value;
  useLayoutEffect(() => {
    const element = box.current!;
    const told = { picture: s.remotePicture(), rest: s.rest(), broken: s.noPicture() };
    element.replaceChildren(renderMarkdown(text, quoted, told, linked));
    const marks = [...element.querySelectorAll<HTMLElement>("mark")];
    found(new Set(marks.flatMap((one) => (one.dataset.marks ?? "").split(" ").map(Number))));
  }, [text, quoted, spoken, linked]);
  useLayoutEffect(() => {
    for (const one of box.current!.querySelectorAll("mark.current")) one.classList.remove("current");
    if (!focus) return;
    const marks = [...box.current!.querySelectorAll<HTMLElement>(`mark[data-marks~="${focus.mark}"]`)];
    const passages = [...new Set(marks.map((one) => one.dataset.passage))];
    const sought = marks.filter((one) => one.dataset.passage === passages[focus.turn % passages.length]);
    for (const one of sought) one.classList.add("current");
    sought[0]?.scrollIntoView({ block: "center" });
  }, [focus, text, quoted, spoken, linked]);
  return <div ref={box} class="markdown" dir="auto" />;
}
