"""The file of models: presets that name a model, its endpoint, and its settings.

    default = "writer"
    judge = "strict"
    [models.writer]
    model = "gpt-5-mini"
    temperature = 0.4
    [models.strict]
    model = "qwen3"
    base_url = "http://localhost:11434/v1"
    api_key_env = "OLLAMA_KEY"

The file never holds a key, only the name of the variable that does; no message shows a text that looks like a key.
"""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from signoff.errors import ConfigurationError
from worker_svc.llm.openai.client import checked_url
from worker_svc.llm.openai.question import Sampling

Role = Literal["executor", "validator"]

_VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]{0,63}")
_KEYS = frozenset({"api_key", "apikey", "key", "token", "secret", "password", "authorization"})
_USE_A_VARIABLE = "a key does not belong in a file: put it into an environment variable, and its NAME into api_key_env"

#: Parameters that signoff sets itself, or that would change the answer's form.
_RESERVED = frozenset(
    {"model", "messages", "stream", "stream_options", "response_format", "temperature", "max_tokens"}
    | {"max_completion_tokens", "n", "tools", "tool_choice", "functions", "function_call"}
)


def _url(text: str) -> str:
    try:
        return checked_url(text)
    except ConfigurationError as error:
        raise PydanticCustomError("url", "{said}", {"said": str(error).partition(": ")[2]}) from None


def _variable(name: str) -> str:
    if not _VARIABLE.fullmatch(name):
        expected = "expected the NAME of a variable, such as OPENAI_API_KEY, but got something else"
        raise PydanticCustomError("variable", "{said}", {"said": f"{expected}; {_USE_A_VARIABLE}"})
    return name


def _body(body: dict[str, JsonValue]) -> dict[str, JsonValue]:
    if taken := sorted(_RESERVED & body.keys()):
        said = f"expected parameters that signoff does not set itself, but got {', '.join(taken)}"
        raise PydanticCustomError("body", "{said}", {"said": said})
    try:
        json.dumps(body, allow_nan=False)
    except ValueError:
        raise PydanticCustomError("body", "expected what JSON can say, but got a number that is none") from None
    return body


class Preset(BaseModel):
    """One model, and its settings."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)

    model: str = Field(min_length=1, max_length=256)
    base_url: Annotated[str, AfterValidator(_url)] | None = None
    api_key_env: Annotated[str, AfterValidator(_variable)] | None = None
    temperature: float | None = Field(None, ge=0, allow_inf_nan=False)
    max_tokens: int | None = Field(None, ge=1)
    timeout: float | None = Field(None, gt=0, allow_inf_nan=False)  # seconds between two pieces
    extra_body: Annotated[dict[str, JsonValue], AfterValidator(_body)] = Field(default_factory=dict)

    @property
    def sampling(self) -> Sampling:
        return Sampling(temperature=self.temperature, max_tokens=self.max_tokens, extra_body=self.extra_body)


PresetName = Annotated[str, Field(min_length=1, max_length=128)]


class Presets(BaseModel):
    """A file of models."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)

    default: str | None = None
    judge: str | None = None
    models: dict[PresetName, Preset] = Field(min_length=1)

    def default_of(self, role: Role) -> str:
        """Returns the preset that a role asks by default."""
        chosen = self.judge if role == "validator" and self.judge else self.default
        return chosen or next(iter(self.models))


def presets_from_file(file: Path) -> Presets:
    """Reads a file of models. Raises ConfigurationError with a line for each problem: the file, the key, the reason."""
    try:
        presets = Presets.model_validate(tomllib.loads(file.read_text(encoding="utf-8")))
    except OSError as error:
        raise ConfigurationError(f"{file}: cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{file}: expected TOML, but got what is none: {error}") from None
    except ValidationError as error:
        raise ConfigurationError("\n".join(_line(file, problem) for problem in error.errors())) from None
    if problems := _wrong_names(presets):
        raise ConfigurationError("\n".join(f"{file}: {problem}" for problem in problems))
    return presets


def _wrong_names(presets: Presets) -> list[str]:
    known = f"expected one of {', '.join(presets.models)}"
    stated = {"default": presets.default, "judge": presets.judge}
    wrong = [f'{key}: {known}, but got "{name}"' for key, name in stated.items() if name and name not in presets.models]
    if not presets.default and len(presets.models) > 1:
        wrong.append(f"default: {known}, but it is missing")
    return wrong


def _line(file: Path, problem: ErrorDetails) -> str:
    key = ".".join(map(str, problem["loc"])).removesuffix(".[key]")
    return f"{file}: {key or 'the file'}: {_in_words(problem)}"


def _in_words(problem: ErrorDetails) -> str:
    kind, place = problem["type"], problem["loc"]
    if kind == "extra_forbidden":
        if str(place[-1]).lower() in _KEYS:
            return _USE_A_VARIABLE
        known = Presets if len(place) == 1 else Preset
        return f"expected one of {', '.join(known.model_fields)}, but got an unknown key"
    if kind == "missing":
        return "expected a value, but it is missing"
    if kind == "too_short":
        return "expected at least one entry, but got none"
    if kind == "model_type":
        return f"expected a table, but got {_shown(problem['input'])}"
    said = problem["msg"].replace("Input should be", "expected").replace("String should have", "expected")
    return said if "but got" in said else f"{said}, but got {_shown(problem['input'])}"


def _shown(value: Any) -> str:
    """Shows a number as it is, and only the type of anything else: a text may be a key in the wrong place."""
    if isinstance(value, bool | int | float):
        return str(value).lower() if isinstance(value, bool) else str(value)
    kinds: dict[type, str] = {str: "a text", list: "an array", dict: "a table"}
    return kinds.get(type(value), type(value).__name__)
