// What a plan is to be given: texts are typed, JSON too, and files are chosen or dropped, which uploads them.
import { useId, useState } from "preact/hooks";
import { contents, sentenceOf } from "../../api";
import type { GivenFileJson } from "../../gen/signoff/v1/execution_pb";
import type { PlanInputJson } from "../../gen/signoff/v1/plan_pb";
import { format, Visible } from "../../ui";
import { type Given, isFiles, isJson, pathOf, textOf, wrongJson } from "./inputs";
import { s } from "./strings";

type Props = {
  readonly declared: readonly PlanInputJson[];
  readonly given: Given;
  readonly set: (name: string, value: string | readonly GivenFileJson[]) => void;
};

export function Inputs({ declared, given, set }: Props) {
  return (
    <fieldset class="inputs stack">
      <legend>{s.inputs()}</legend>
      {declared.map((input) => (
        <Input key={input.name} input={input} given={given} set={set} />
      ))}
    </fieldset>
  );
}

function Input({ input, given, set }: { input: PlanInputJson } & Omit<Props, "declared">) {
  const id = useId();
  const name = input.name ?? "";
  const wrong = wrongJson(input, given);
  return (
    <div class="setting">
      <label for={id} class="small">
        <strong>{name}</strong> <Visible text={input.description ?? ""} most={300} />
      </label>
      {isFiles(input) ? (
        <Files
          id={id}
          input={input}
          files={given[name] as GivenFileJson[]}
          set={(files) => set(name, files)}
        />
      ) : (
        <textarea
          id={id}
          class={`field ${isJson(input) ? "mono" : ""}`}
          rows={2}
          value={textOf(input, given) ?? ""}
          aria-invalid={wrong !== undefined}
          aria-describedby={wrong && `${id}-wrong`}
          onInput={(event) => set(name, event.currentTarget.value)}
        />
      )}
      {wrong && (
        <span id={`${id}-wrong`} class="small wrong" role="alert">
          {s.noJson(wrong)}
        </span>
      )}
    </div>
  );
}

function Files(props: {
  id: string;
  input: PlanInputJson;
  files: readonly GivenFileJson[] | undefined;
  set: (files: readonly GivenFileJson[]) => void;
}) {
  const [problem, setProblem] = useState<string | undefined>();
  const [left, setLeft] = useState(0);
  const upload = async (chosen: readonly File[]) => {
    const stored: GivenFileJson[] = [];
    setProblem(undefined);
    props.set(stored);
    try {
      for (const [n, file] of chosen.entries()) {
        setLeft(chosen.length - n);
        const path = pathOf(file);
        stored.push({ path, ...(await contents.upload(file, path)) });
      }
      stored.sort((a, b) => ((a.path ?? "") < (b.path ?? "") ? -1 : 1));
      props.set(stored);
    } catch (error) {
      setProblem(sentenceOf(error));
    }
    setLeft(0);
  };
  const { files = [], input } = props;
  const size = files.reduce((sum, file) => sum + Number(file.sizeBytes ?? 0), 0);
  return (
    <>
      <input
        id={props.id}
        type="file"
        class="field"
        multiple
        disabled={left > 0}
        {...(input.kind === "INPUT_KIND_FOLDER" ? { webkitdirectory: true } : {})}
        onChange={(event) => void upload([...(event.currentTarget.files ?? [])])}
      />
      <span class="small muted" role="status">
        {left > 0 && s.uploading(format.count(left))}
        {left === 0 && files.length > 0 && s.uploaded(format.count(files.length), format.size(size))}
        {left === 0 && !files.length && input.path && s.filesOfPlan(input.path)}
      </span>
      {problem && (
        <span class="small wrong" role="alert">
          <Visible text={problem} most={300} />
        </span>
      )}
    </>
  );
}
