// Times, durations, sizes, tokens and money as people read them, in the language of the page.
import { language } from "../i18n/language";

const locale = () => (language.value === "zh" ? "zh-CN" : "en");

/** "12:04:31" */
export function clockTime(ms: number): string {
  return ms ? new Date(ms).toLocaleTimeString("en-GB", { hour12: false }) : "";
}

/** Date and time; the time alone when it is of today. */
export function moment(ms: number, today = Date.now()): string {
  if (!ms) return "";
  const day = (at: number) => new Date(at).toDateString();
  if (day(ms) === day(today)) return clockTime(ms);
  const date = new Date(ms).toLocaleDateString(locale(), { year: "numeric", month: "short", day: "numeric" });
  return `${date} ${clockTime(ms)}`;
}

/** "0.4 s", "12 s", "3 min 05 s", "2 h 07 min", "3 d 04 h" */
export function duration(ms: number): string {
  if (!Number.isFinite(ms) || ms < 0) return "";
  if (ms < 9_950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${two(seconds % 60)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 1440) return `${Math.floor(minutes / 60)} h ${two(minutes % 60)} min`;
  return `${Math.floor(minutes / 1440)} d ${two(Math.floor((minutes % 1440) / 60))} h`;
}

/** Returns milliseconds of a duration of the protos' JSON, such as "3.5s"; undefined for none. */
export function milliseconds(wire: string | undefined): number | undefined {
  const seconds = Number.parseFloat(wire ?? "");
  return Number.isNaN(seconds) ? undefined : seconds * 1000;
}

/** "1,234" */
export function count(n: number): string {
  return n.toLocaleString(locale());
}

/** "980", "12.3k", "4.5M" */
export function short(n: number): string {
  if (Math.abs(n) < 10_000) return count(Math.round(n));
  if (Math.abs(n) < 1_000_000) return `${(n / 1000).toFixed(n < 100_000 ? 1 : 0)}k`;
  return `${(n / 1_000_000).toFixed(1)}M`;
}

/** Money of billionths, with the currency when there is one: "0.0123 USD". */
export function money(nanos: number, currency = ""): string {
  const value = nanos / 1e9;
  const digits = value !== 0 && Math.abs(value) < 1 ? 4 : 2;
  return `${value.toLocaleString(locale(), { minimumFractionDigits: digits, maximumFractionDigits: digits })}${currency && ` ${currency}`}`;
}

/** "812 B", "4.0 KiB", "1.2 MiB" */
export function size(bytes: number | string | undefined): string {
  const n = Number(bytes ?? 0);
  if (n < 1024) return `${n} B`;
  return n < 1024 * 1024 ? `${(n / 1024).toFixed(1)} KiB` : `${(n / 1024 / 1024).toFixed(1)} MiB`;
}

export function percent(part: number, whole: number): string {
  return whole ? `${Math.floor((100 * part) / whole)} %` : "0 %";
}

function two(n: number): string {
  return String(n).padStart(2, "0");
}
