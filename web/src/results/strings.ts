import { strings } from "../i18n";

export const s = strings({
  views: ["Views of the result", "结果的视图"],
  markdown: ["Document", "文档"],
  table: ["Table", "表格"],
  tree: ["Tree", "树"],
  picture: ["Picture", "图片"],
  source: ["Source", "源文本"],
  download: ["Download", "下载"],
  full: ["Full view", "全屏查看"],
  shown: [
    (shown: string, total: string) => `The first ${shown} of ${total} are shown.`,
    (shown: string, total: string) => `显示前 ${shown}，共 ${total}。`,
  ],
  shownRows: [
    (rows: string, shown: string, total: string) => `The first ${rows} rows are shown: ${shown} of ${total}.`,
    (rows: string, shown: string, total: string) => `显示前 ${rows} 行：${shown}，共 ${total}。`,
  ],
  more: ["Show more", "显示更多"],
  tooLarge: [
    (total: string) => `At ${total}, it is shown as text; the download has all of it.`,
    (total: string) => `内容共 ${total}，按文本显示；下载可得全部内容。`,
  ],
  notShown: [
    "The page does not show this. The download has its bytes.",
    "页面无法显示此内容。可下载其内容。",
  ],
  mediaType: ["Type", "类型"],
  size: ["Size", "大小"],
  files: ["Files of the result", "结果的文件"],
  allFiles: ["All files (zip)", "全部文件 (zip)"],
  mainFile: ["main file", "主文件"],
  keyFile: ["next, previous file", "下一个、上一个文件"],
  realSize: ["Real size", "实际大小"],
  empty: ["It is empty.", "内容为空。"],
  notJson: [
    (sentence: string) => `Not shown as a tree: ${sentence}`,
    (sentence: string) => `无法显示为树：${sentence}`,
  ],
  pictureOf: [(name: string) => `Picture ${name}`, (name: string) => `图片 ${name}`],
  noPicture: [
    "The browser cannot show this picture. The download has its bytes.",
    "浏览器无法显示此图片。可下载其内容。",
  ],
  remotePicture: ["Picture", "图片"],
  rest: [
    "The rest is too intricate to be shown as a document: the source has all of it.",
    "其余部分过于复杂，无法以文档显示：请查看源文本。",
  ],
  entries: [(n: string) => `${n} entries`, (n: string) => `${n} 项`],
  moreEntries: [(n: string) => `${n} more`, (n: string) => `还有 ${n} 项`],
  shut: ["Close", "收起"],
  rounded: ["Rounded: the source has its exact digits", "已舍入：源文本中有精确数字"],
  rowN: [(n: string) => `Row ${n}`, (n: string) => `第 ${n} 行`],
  rows: [(n: string) => `${n} rows`, (n: string) => `${n} 行`],
  sortBy: [(name: string) => `Sort by ${name}`, (name: string) => `按 ${name} 排序`],
  allResults: ["All results (zip)", "全部结果 (zip)"],
  allResultsWhy: [
    "Every signed-off result of the run in one file, each with all its files under its task, with a list of them",
    "此次运行所有已签核的结果打包为一个文件，按任务存放其全部文件，并附清单",
  ],
});
