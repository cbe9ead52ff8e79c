import { strings } from "../i18n";

export const s = strings({
  start: ["Start", "开始"],
  inbox: ["Inbox", "收件箱"],
  plans: ["Plans", "计划"],
  runs: ["Runs", "运行"],
  workers: ["Workers", "工作者"],
  pages: ["Pages", "页面"],
  skip: ["Skip to the content", "跳到正文"],
  waiting: ["waiting", "项待处理"],
  theme: ["Theme", "主题"],
  themeSystem: ["as the system", "跟随系统"],
  themeLight: ["light", "浅色"],
  themeDark: ["dark", "深色"],
  language: ["Language", "语言"],
  keys: ["Keys (?)", "键盘快捷键 (?)"],
  lost: [
    (at: string) => `Connection lost. What you see is as of ${at}. Trying again…`,
    (at: string) => `连接已断开。所示内容截至 ${at}。正在重连…`,
  ],
  never: ["Connection lost. Nothing has come yet. Trying again…", "连接已断开。尚未收到任何内容。正在重连…"],
  away: [
    (at: string) =>
      `The runner is away. What you see is as of ${at}. It goes on by itself when the runner is back.`,
    (at: string) => `运行器不可用。所示内容截至 ${at}。运行器恢复后会自动继续。`,
  ],
  live: ["Live", "实时"],
  connecting: ["Connecting…", "连接中…"],
  readOnly: ["Read only", "只读"],
  noPage: [(path: string) => `There is no page at ${path}.`, (path: string) => `没有此页面：${path}`],
  toStart: ["Go to the start", "返回首页"],
  signIn: ["Sign in", "登录"],
  token: ["Token", "令牌"],
  tokenWhy: [
    "This server asks for the token that it was started with. It is kept in a cookie that scripts cannot read.",
    "此服务器需要其启动时设置的令牌。令牌保存在脚本无法读取的 Cookie 中。",
  ],
});
