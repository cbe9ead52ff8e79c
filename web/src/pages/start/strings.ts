import { strings } from "../../i18n";

export const s = strings({
  lead: [
    "signoff runs a plan of tasks for language models, and no result counts until a validator has signed it off.",
    "signoff 执行由语言模型完成的任务计划，每个结果都须经验证者签核才算数。",
  ],
  begin: ["Begin with a plan", "从计划开始"],
  example: ["Load an example", "载入示例"],
  release_notes: ["Release notes", "发布说明"],
  release_notes_about: [
    "7 tasks in 4 stages, with criteria and checks. A good first look.",
    "7 个任务，4 个阶段，含标准与检查，适合初次了解。",
  ],
  ai_trends: ["AI trends", "人工智能趋势"],
  ai_trends_about: [
    "13 tasks from another planner, with dependencies across the tree.",
    "来自其他规划器的 13 个任务，含跨树依赖。",
  ],
  ownPlan: ["Or your own", "或使用自己的计划"],
  drop: [
    "Drop a plan.json anywhere on this page, or paste its text with the keyboard.",
    "将 plan.json 拖放到此页任意位置，或直接粘贴文本。",
  ],
  dropNow: ["Drop the plan to load it", "松开以载入计划"],
  choose: ["Choose a file…", "选择文件…"],
  paste: ["Paste text", "粘贴文本"],
  write: ["Write one", "新建计划"],
  pasteHere: ["The text of a plan.json", "plan.json 的文本"],
  load: ["Load", "载入"],
  notText: [
    (name: string) => `expected a plan.json in UTF-8, but ${name} is something else`,
    (name: string) => `应为 UTF-8 编码的 plan.json，但 ${name} 不是`,
  ],
  tooLarge: [
    (name: string, size: string, most: string) =>
      `expected a plan of at most ${most} in this page, but ${name} has ${size}: store it with the command line`,
    (name: string, size: string, most: string) =>
      `此页面最多接受 ${most} 的计划，但 ${name} 为 ${size}：请用命令行保存`,
  ],
  planId: ["Plan id", "计划编号"],
  wrongId: ["expected 1 to 128 letters, digits, _ and -", "应为 1 至 128 个字母、数字、_ 或 -"],
  replaces: [
    "A plan with this id is stored already. Generating the map replaces it; executions that have begun keep their map.",
    "此编号的计划已存在。生成映射将取代它；已开始的执行保留其映射。",
  ],
  generateMap: ["Generate Map", "生成映射"],
  edit: ["Edit the text", "编辑文本"],
  discard: ["Remove", "移除"],
  sizeOf: [
    (size: string, lines: string) => `${size}, ${lines} lines`,
    (size: string, lines: string) => `${size}，${lines} 行`,
  ],
  mapMade: [
    (tasks: number, stages: number) =>
      `The map is stored: ${tasks} tasks in ${stages} stages. Execution starts it.`,
    (tasks: number, stages: number) => `映射已保存：${tasks} 个任务，${stages} 个阶段。点击“执行”开始。`,
  ],
  brokenPlan: ["Nothing was stored: the plan has errors.", "未保存：计划有错误。"],
  recentPlans: ["Plans", "计划"],
  recentRuns: ["Recent runs", "最近运行"],
  allPlans: ["All plans", "全部计划"],
  allRuns: ["All runs", "全部运行"],
  noPlans: ["No plan is stored yet.", "尚未保存计划。"],
  noRuns: ["Nothing has been run yet.", "尚无运行记录。"],
  runnerAway: [
    "The runner is away: nothing can be started, and nothing moves. This page goes on when it is back.",
    "运行器不可用：无法启动，也不会推进。恢复后此页会自动继续。",
  ],
  plannerAway: [
    "The planner is away: plans can be neither checked nor stored.",
    "规划器不可用：无法检查或保存计划。",
  ],
  doorAway: ["The server of this page cannot be reached.", "无法连接此页面的服务器。"],
  noWorkers: [
    "No workers are connected: executions can be started, and their tasks wait. This starts some with the built-in mock model, offline and without a key:",
    "没有已连接的工作者：可以启动执行，但任务会等待。以下命令使用内置模拟模型启动工作者，无需联网和密钥：",
  ],
  noExecutors: [
    "No executor is connected: tasks wait for one. This starts one with the built-in mock model:",
    "没有已连接的执行者：任务会等待。以下命令使用内置模拟模型启动一个：",
  ],
  noValidators: [
    "No validator is connected: candidates wait for one. This starts one with the built-in mock model:",
    "没有已连接的验证者：候选会等待。以下命令使用内置模拟模型启动一个：",
  ],
  readOnly: [
    "This server is read-only: plans can be checked and runs be watched, but nothing be stored or started.",
    "此服务器为只读：可检查计划、查看运行，但不能保存或启动。",
  ],
  steps: ["Plan → Generate Map → Execution → sign-offs", "计划 → 生成映射 → 执行 → 签核"],
});
