// How a wait is told and drawn, the same wherever it is shown: hollow and hatched, so that colour alone says nothing.
import { strings } from "../i18n";
import type { WaitsFor } from "../store";

const s = strings({
  executor: ["for an executor", "等待执行者"],
  validator: ["for a validator", "等待验证者"],
  retry: ["for its retry time", "等待重试时间"],
  model: ["for a model that was away", "等待不可用的模型"],
  resume: ["for the run to be resumed", "等待运行继续"],
  judge: ["for a resume: no judge could answer", "等待继续：没有验证者能够判定"],
});

export function waitLabel(what: WaitsFor): string {
  return s[what]();
}

type Area = {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
};
const STEP = 7; // pixels between two strokes

/** Draws a hollow box with slanted strokes. */
export function hatch(
  context: CanvasRenderingContext2D,
  { x, y, width, height }: Area,
  colour: string,
): void {
  context.save();
  context.beginPath();
  context.rect(x, y, width, height);
  context.clip();
  context.beginPath();
  for (let from = Math.floor((x - height) / STEP) * STEP; from < x + width; from += STEP) {
    context.moveTo(from, y + height);
    context.lineTo(from + height, y);
  }
  context.strokeStyle = colour;
  context.lineWidth = 1;
  context.globalAlpha = 0.55;
  context.stroke();
  context.restore();
  context.strokeStyle = colour;
  context.lineWidth = 1;
  context.strokeRect(x + 0.5, y + 0.5, Math.max(0, width - 1), height - 1);
}
