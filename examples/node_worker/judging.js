// A validator's verdict: code decides first, then each criterion is judged; only a pass on all of them is a pass.

import { mainContent } from "./inputs.js";
import { matches } from "./patterns.js";

const [PASS, FAIL, ERROR] = ["OUTCOME_PASS", "OUTCOME_FAIL", "OUTCOME_ERROR"];

/** A stand-in that passes everything. Here you would ask a model. */
function judge(_criterion, _text, told) {
  if (told) return { outcome: `OUTCOME_${(told.outcome ?? "pass").toUpperCase()}`, reason: "as the task asks" };
  return { outcome: PASS, reason: "nothing was looked at" };
}

/** The verdict on a candidate: its bytes, or its files. */
export function verdictOn(candidate, task, told) {
  const text = textOf(mainContent(candidate));
  const isEmpty = candidate.files ? candidate.files.every(({ size }) => !size) : !text.trim();
  const results = [result("is not empty", isEmpty ? "the candidate is empty" : "")];
  // The numbers say what a result is about: the runner counts a pass only with one for each criterion and check.
  const numbered = (check, at) => ({ ...checkedIn(candidate, check), check_number: at + 1 });
  results.push(...(task.validation?.checks ?? []).map(numbered));
  if (results.every(({ outcome }) => outcome === PASS)) {
    const judged = (criterion, at) => ({
      criterion,
      criterion_number: at + 1,
      deterministic: false,
      ...judge(criterion, text, told),
    });
    results.push(...criteriaOf(task).map(judged));
  }
  return summed(results);
}

/** The task's criteria; of one that states none, no checks and no person, its description or its output. */
function criteriaOf(task) {
  const { checks = [], criteria = [], description = "", human = false } = task.validation ?? {};
  if (criteria.length) return criteria;
  if (description) return [description];
  const stated = checks.some((check) => !check.json_schema?.from_format);
  return stated || human ? [] : [`The output is: ${task.output?.description || "what the task asks for"}`];
}

/** One failure fails the whole; without one, anything that is not a pass leaves it undecided. */
function summed(results) {
  const outcome = [FAIL, ERROR].find((worst) => results.some((one) => one.outcome === worst)) ?? PASS;
  const reasons = outcome === PASS ? [] : results.filter((one) => one.outcome === outcome);
  const feedback = reasons.map(({ criterion, reason }) => `${criterion}: ${reason}`).join("\n");
  return { outcome, results, feedback, retry_worthwhile: true };
}

/** A pass without a reason, a fail with one. */
const result = (criterion, reason) => ({ criterion, reason, outcome: reason ? FAIL : PASS, deterministic: true });

const textOf = (content) => new TextDecoder().decode(content);

/** A check of a candidate: of its text, of its main file, or of all files that `check.file` names. */
function checkedIn(candidate, check) {
  const { files } = candidate;
  if (check.kind === "required_files") return requiredFiles(check.required_files.files, files ?? []);
  if (!files || !check.file) return checked(check, textOf(mainContent(candidate)));
  const found = files.filter(({ path }) => matches(path, check.file));
  if (!found.length) return result(`has the file ${check.file}`, "there is none");
  const results = found.map(({ content }) => checked(check, textOf(content)));
  return results.find(({ outcome }) => outcome !== PASS) ?? results[0];
}

function requiredFiles(wanted, files) {
  const absent = wanted.filter((pattern) => !files.some(({ path }) => matches(path, pattern)));
  return result(`has the files ${wanted.join(", ")}`, absent.length ? `missing: ${absent.join(", ")}` : "");
}

/** A check by code of a text. One that this validator cannot carry out lets nothing pass, and fails nothing. */
function checked(check, text) {
  switch (check.kind) {
    case "json":
      return result("is valid JSON", problemOf(() => JSON.parse(text)));
    case "required_keys":
      return result(`has the keys ${check.required_keys.keys.join(", ")}`, missing(check.required_keys.keys, text));
    case "length":
      return result("has the length that is asked for", wrongLength(check.length, [...text].length));
    default: {
      const reason = "this validator cannot carry it out";
      return { ...result(`check ${check.kind ?? "of a new kind"}`, reason), outcome: ERROR };
    }
  }
}

function missing(keys, text) {
  const problem = problemOf(() => JSON.parse(text));
  if (problem) return problem;
  const absent = keys.filter((path) => !has(JSON.parse(text), path));
  return absent.length ? `missing keys: ${absent.join(", ")}` : "";
}

/** Whether an object has a key; "a.b" is the key b of the object under a, or one key that has a dot in it. */
function has(value, path) {
  if (value === null || typeof value !== "object" || Array.isArray(value)) return false;
  if (Object.hasOwn(value, path)) return true;
  const dots = [...path.matchAll(/\./g)].map((found) => found.index);
  return dots.some((dot) => {
    const [key, rest] = [path.slice(0, dot), path.slice(dot + 1)];
    return Object.hasOwn(value, key) && has(value[key], rest);
  });
}

function wrongLength({ min_chars, max_chars, _max_chars: isBounded }, length) {
  if (length < Number(min_chars)) return `expected at least ${min_chars} characters, but got ${length}`;
  return isBounded && length > Number(max_chars) ? `expected at most ${max_chars} characters, but got ${length}` : "";
}

function problemOf(decide) {
  try {
    decide();
    return "";
  } catch (error) {
    return error.message;
  }
}
