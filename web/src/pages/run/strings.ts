import { strings } from "../../i18n";

export const s = strings({
  graph: ["Graph", "图"],
  grid: ["Grid", "网格"],
  tree: ["Tree", "树"],
  timeline: ["Time line", "时间线"],
  table: ["Table", "表格"],
  views: ["Views of the run", "运行视图"],
  pause: ["Pause", "暂停"],
  resume: ["Resume", "继续"],
  stop: ["Stop", "停止"],
  pauseAsk: ["Pause this run?", "暂停此次运行？"],
  pauseBody: [
    "Nothing new is assigned; what runs goes on to its end.",
    "不再分配新任务；正在进行的任务会继续到结束。",
  ],
  stopAsk: ["Stop this run?", "停止此次运行？"],
  stopBody: [
    "Work under way is cancelled. A resume goes on from there.",
    "取消正在进行的工作。之后可从该处继续。",
  ],
  stopCost: [
    (n: number) =>
      n === 0
        ? "Nothing is under way: no work is lost."
        : `${n === 1 ? "1 attempt is" : `${n} attempts are`} under way and will be cancelled. What they have cost stays spent; their work begins anew after a resume.`,
    (n: number) =>
      n === 0
        ? "没有正在进行的工作，不会损失任何成果。"
        : `将取消 ${n} 个正在进行的尝试。已产生的费用不会退回；继续后这些工作将重新开始。`,
  ],
  result: ["Result", "结果"],
  reason: ["Reason (shown with the run)", "原因（随运行显示）"],
  paused: ["Paused", "已暂停"],
  resumed: ["Resumed", "已继续"],
  stopped: ["Stopped", "已停止"],
  progress: [
    (done: number, all: number) => `${done} of ${all} signed off`,
    (done: number, all: number) => `已签核 ${done} / ${all}`,
  ],
  inputs: [(n: number) => `Inputs: ${n}`, (n: number) => `输入：${n}`],
  filesN: [
    (n: number, size: string) => `(${n} ${n === 1 ? "file" : "files"}, ${size})`,
    (n: number, size: string) => `（${n} 个文件，${size}）`,
  ],
  elapsed: ["Elapsed", "用时"],
  took: ["Took", "耗时"],
  cost: ["Cost", "费用"],
  tokens: ["Tokens", "令牌"],
  estimated: [(n: string) => `of it about ${n} estimated`, (n: string) => `其中约 ${n} 为估算`],
  unpriced: [(n: string) => `${n} tokens have no known price`, (n: string) => `${n} 令牌价格未知`],
  budgets: ["Budgets", "预算"],
  budgetOf: [
    (name: string) => (name ? `Budget of ${name}` : "Budget of the run"),
    (name: string) => (name ? `${name} 的预算` : "运行预算"),
  ],
  outage: [
    (model: string, since: string, tries: number) =>
      `${model || "A model"} is away since ${since}; asked ${tries} times`,
    (model: string, since: string, tries: number) =>
      `${model || "模型"} 自 ${since} 起不可用；已尝试 ${tries} 次`,
  ],
  nextTry: [(at: string) => `next try at ${at}`, (at: string) => `下次尝试：${at}`],
  awaiting: [
    (n: number) => (n === 1 ? "1 waits for a person" : `${n} wait for a person`),
    (n: number) => `${n} 项等待人工`,
  ],
  filter: ["Filter tasks (/)", "筛选任务 (/)"],
  showOnly: ["Show only these", "仅显示这些"],
  failedFirst: ["Failed first", "失败优先"],
  everyStatus: ["Every status", "所有状态"],
  clear: ["Clear", "清除"],
  shown: [
    (n: number, all: number) => `${n} of ${all} tasks`,
    (n: number, all: number) => `${n} / ${all} 个任务`,
  ],
  nothingMatches: ["No task matches the filter.", "没有任务符合筛选条件。"],
  equalAsOne: ["Equal tasks as one", "合并相同任务"],
  fit: ["Show all", "显示全部"],
  zoomIn: ["Zoom in", "放大"],
  zoomOut: ["Zoom out", "缩小"],
  canvas: [
    (name: string, n: number) =>
      `${name} of ${n} tasks. The arrow keys move the selection; the table has the same as text.`,
    (name: string, n: number) => `${name}，共 ${n} 个任务。方向键移动选择；表格以文本形式提供相同内容。`,
  ],
  stageDone: [
    (stage: number, done: number, all: number) => `Stage ${stage} · ${done}/${all}`,
    (stage: number, done: number, all: number) => `阶段 ${stage} · ${done}/${all}`,
  ],
  why: ["Why it is not finished", "未完成的原因"],
  lastFailure: ["Last failure", "上次失败"],
  waitsFor: ["Waits for", "等待"],
  neededBy: ["Needed by", "被依赖于"],
  nothing: ["nothing", "无"],
  open: ["Open (Enter)", "打开 (Enter)"],
  retryTask: ["Run again", "重新运行"],
  retryAsk: [(id: string) => `Run ${id} again?`, (id: string) => `重新运行 ${id}？`],
  retryBody: [
    "It and everything downstream go back to undone, and begin anew. What would be made from equal inputs is kept.",
    "该任务及其所有下游任务将回到未完成状态并重新开始。输入相同的成果会保留。",
  ],
  retryCost: [
    (done: number, downstream: number) =>
      `${downstream} downstream ${downstream === 1 ? "task is" : "tasks are"} affected; ${done} signed-off ${done === 1 ? "artifact is" : "artifacts are"} withdrawn. The new attempts cost anew.`,
    (done: number, downstream: number) =>
      `影响 ${downstream} 个下游任务；撤回 ${done} 个已签核的成果。新的尝试会再次产生费用。`,
  ],
  retried: [(id: string) => `${id} runs again`, (id: string) => `${id} 已重新运行`],
  attempts: ["Attempts", "尝试次数"],
  failures: ["Failures", "失败次数"],
  worker: ["Worker", "工作者"],
  stage: ["Stage", "阶段"],
  since: ["Since", "自"],
  status: ["Status", "状态"],
  task: ["Task", "任务"],
  description: ["Description", "描述"],
  selectHint: ["Select a task to see why it stands where it stands.", "选择任务以查看其状态的原因。"],
  expand: ["Expand", "展开"],
  collapse: ["Collapse", "收起"],
  groupDone: [
    (done: number, all: number) => `${done}/${all} done`,
    (done: number, all: number) => `${done}/${all} 已完成`,
  ],
  thinking: ["Thinking", "思考"],
  equal: [(n: number) => `${n} equal tasks`, (n: number) => `${n} 个相同任务`],
  attemptShort: [(n: number) => `attempt ${n}`, (n: number) => `第 ${n} 次`],
  keyMove: ["move the selection", "移动选择"],
  keyFilter: ["filter", "筛选"],
  keyOpen: ["open the selected task", "打开所选任务"],
  keyClose: ["close, then clear the selection", "关闭，再清除选择"],
  keyTrouble: ["next task that failed or waits for a person", "下一个失败或等待人工的任务"],
  keyView: ["another view", "切换视图"],
  allRuns: ["All runs", "所有运行"],
  loadingStory: ["Reading the journal…", "正在读取日志…"],
  nothingYet: ["Nothing has run yet.", "尚未运行。"],
  execute: ["execute", "执行"],
  validate: ["validate", "验证"],
  waited: ["Waited", "等待"],
  waitingNow: [
    (what: string, since: string) => `now ${what}, since ${since}`,
    (what: string, since: string) => `现在${what}，自 ${since}`,
  ],
  person: ["waits for a person", "等待人工"],
  quarantinedWhy: [
    "The runner met a bug in this run and leaves it alone. A resume tries again.",
    "运行器在此次运行中遇到缺陷并已将其隔离。继续可再次尝试。",
  ],
});
