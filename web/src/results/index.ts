export { type Quoted, quotesIn } from "./evidence";
export { FilesView } from "./FilesView";
export { FullView } from "./FullView";
export { ResultView } from "./ResultView";
export type { Focus } from "./shown";
export { TextView } from "./TextView";
