// How each status looks: its shape, its letter and its colour, the same on the canvas and in the document.

import { words } from "../i18n";
import type { State, Status } from "../store/status";

/** The shapes are drawn in a box of 16 by 16. */
export const SHAPES: Readonly<Record<Status, string>> = {
  0: "M8 2a6 6 0 1 0 0 12a6 6 0 1 0 0-12z",
  1: "M8 2a6 6 0 1 0 0 12a6 6 0 1 0 0-12z", // undone: a ring
  2: "M2.5 2.5L10 2.5L15 8L10 13.5L2.5 13.5z", // doing: points onward
  3: "M8 .8L15.2 8L8 15.2L.8 8z", // validating: a diamond
  4: "M4 1.5h8a2.5 2.5 0 0 1 2.5 2.5v8a2.5 2.5 0 0 1-2.5 2.5h-8a2.5 2.5 0 0 1-2.5-2.5v-8a2.5 2.5 0 0 1 2.5-2.5z", // done
  5: "M5 1.2h6L14.8 5v6L11 14.8H5L1.2 11V5z", // execution failed: an octagon
  6: "M8 .9L15.4 14.4H.6z", // validation failed: a triangle
};

/** A person: the shape beside a task that waits for one. */
export const PERSON_SHAPE =
  "M8 1.5a3 3 0 1 1 0 6a3 3 0 0 1 0-6zM2.5 14.5c0-3.6 2.4-5.6 5.5-5.6s5.5 2 5.5 5.6z";

export const LETTERS: Readonly<Record<Status, string>> = {
  0: "?",
  1: "U",
  2: "D",
  3: "V",
  4: "✓",
  5: "E",
  6: "R",
};

/** The name of the colour in tokens.css: `--${name}`, and `--${name}-soft` for its ground. */
export const COLOURS: Readonly<Record<Status, string>> = {
  0: "undone",
  1: "undone",
  2: "doing",
  3: "validating",
  4: "done",
  5: "execution-failed",
  6: "validation-failed",
};

export function statusLabel(status: Status): string {
  switch (status) {
    case 1:
      return words.undone();
    case 2:
      return words.doing();
    case 3:
      return words.validating();
    case 4:
      return words.done();
    case 5:
      return words.executionFailed();
    case 6:
      return words.validationFailed();
    default:
      return words.unknown();
  }
}

const STATE_WORDS: Readonly<Partial<Record<State, () => string>>> = {
  EXECUTION_STATE_READY: words.ready,
  EXECUTION_STATE_RUNNING: words.running,
  EXECUTION_STATE_PAUSED: words.paused,
  EXECUTION_STATE_STOPPED: words.stopped,
  EXECUTION_STATE_SUCCEEDED: words.succeeded,
  EXECUTION_STATE_FAILED: words.failed,
  EXECUTION_STATE_QUARANTINED: words.quarantined,
};

export function stateLabel(state: State | undefined): string {
  return (state && STATE_WORDS[state]?.()) || words.unknown();
}

/** The colour of an execution's state, by name as above. */
export function stateColour(state: State | undefined): string {
  switch (state) {
    case "EXECUTION_STATE_RUNNING":
      return "doing";
    case "EXECUTION_STATE_SUCCEEDED":
      return "done";
    case "EXECUTION_STATE_FAILED":
    case "EXECUTION_STATE_QUARANTINED":
      return "execution-failed";
    case "EXECUTION_STATE_PAUSED":
      return "person";
    default:
      return "undone";
  }
}
