export { choose, LANGUAGES, type Language, language } from "./language";
export { strings } from "./strings";
export { words } from "./words";
