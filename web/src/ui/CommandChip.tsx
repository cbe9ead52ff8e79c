import { useState } from "preact/hooks";
import { words } from "../i18n";
import "./command.css";

/** A command line that does the same, with a button that copies it. */
export function CommandChip({ command }: { command: string }) {
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    await copyText(command);
    setCopied(true);
    setTimeout(() => setCopied(false), 1500);
  };
  return (
    <span class="command-chip">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so that keys must reach it */}
      <code role="group" title={words.commandLine()} aria-label={words.commandLine()} tabIndex={0}>
        {command}
      </code>
      <button type="button" onClick={copy} aria-label={`${words.copy()}: ${command}`}>
        {copied ? words.copied() : words.copy()}
      </button>
    </span>
  );
}

/** Copies a text, also on pages without https, where the clipboard is not to be had directly. */
export async function copyText(text: string): Promise<void> {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const area = document.createElement("textarea");
  area.value = text;
  area.className = "visually-hidden";
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}

/** Returns the words of a command line, quoted for a POSIX shell where they need it. */
export function commandLine(...parts: readonly string[]): string {
  return parts
    .map((part) => (/^[A-Za-z0-9_./:=@%+,-]+$/.test(part) ? part : `'${part.replaceAll("'", `'\\''`)}'`))
    .join(" ");
}
