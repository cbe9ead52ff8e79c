import { choose, type Language, language } from "../i18n";
import { type Choice, choice, chooseTheme } from "../theme/theme";
import { showKeys } from "../ui";
import { s } from "./strings";

const NEXT: Record<Choice, Choice> = { system: "light", light: "dark", dark: "system" };
const SIGNS: Record<Choice, string> = { system: "◐", light: "☀", dark: "☾" };
const OTHER: Record<Language, Language> = { en: "zh", zh: "en" };

export function Switches() {
  const names: Record<Choice, string> = {
    system: s.themeSystem(),
    light: s.themeLight(),
    dark: s.themeDark(),
  };
  const theme = `${s.theme()}: ${names[choice.value]}`;
  return (
    <div class="switches">
      <button
        type="button"
        class="switch keys-button"
        onClick={showKeys}
        title={s.keys()}
        aria-label={s.keys()}
      >
        ?
      </button>
      <button
        type="button"
        class="switch"
        onClick={() => chooseTheme(NEXT[choice.value])}
        title={theme}
        aria-label={theme}
      >
        <span aria-hidden="true">{SIGNS[choice.value]}</span>
      </button>
      <button
        type="button"
        class="switch"
        onClick={() => choose(OTHER[language.value])}
        aria-label={`${language.value === "en" ? "中文" : "EN"} · ${s.language()}`}
        lang={language.value === "en" ? "zh-CN" : "en"}
      >
        {language.value === "en" ? "中文" : "EN"}
      </button>
    </div>
  );
}
