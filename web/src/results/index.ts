export { type Quoted, quotesIn } from "./evidence";
export { FullView } from "./FullView";
export { ResultView } from "./ResultView";
export type { Focus } from "./shown";
export { TextView } from "./TextView";
