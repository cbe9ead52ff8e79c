import { strings } from "../../i18n";

export const s = strings({
  title: ["Inbox", "收件箱"],
  intro: ["What does not go on without a person, in all runs.", "所有运行中需要人工处理才能继续的事项。"],
  person: ["Waits for a person", "等待人工"],
  failed: ["Failed for good", "最终失败"],
  paused: ["Paused", "已暂停"],
  pausedByBudget: ["Paused by a budget", "因预算暂停"],
  quarantined: ["Left alone after a fault", "因故障隔离"],
  empty: ["Nothing waits for you.", "没有等待您处理的事项。"],
  emptyMore: [
    "When a run asks for a person, fails for good or uses up a budget, it appears here.",
    "当运行请求人工判定、最终失败或用尽预算时，会显示在这里。",
  ],
  toRuns: ["Look at the runs", "查看运行"],
  look: ["Look and judge", "查看并判定"],
  open: ["Open", "打开"],
  openRun: ["Open the run", "打开运行"],
  moreTasks: [(n: number) => `${n} more in this run`, (n: number) => `此运行中还有 ${n} 项`],
  moreRuns: [
    "There are more runs than are looked at here: the newest are shown.",
    "运行数量超出此处的查看范围：仅显示最新的。",
  ],
  since: [(time: string) => `since ${time}`, (time: string) => `自 ${time}`],
  notify: ["Notify me on the desktop", "桌面通知"],
  notifyOff: ["Stop notifying", "关闭通知"],
  notifyOn: ["This browser tells you when a person is asked.", "当请求人工判定时，此浏览器会通知您。"],
  notifyDenied: [
    "The browser does not allow notifications of this page; its settings can.",
    "浏览器不允许此页面的通知；可在浏览器设置中允许。",
  ],
  notifyNone: ["This browser has no notifications for this page.", "此浏览器无法为此页面显示通知。"],
  asked: [(task: string) => `${task} waits for a person`, (task: string) => `${task} 等待人工判定`],
});
