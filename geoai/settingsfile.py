"""Reading one YAML file of settings: wrong keys and values are refused with file, line and what was expected.

A file may say `extends: other.yaml` (beside it, one level) and give only what differs. `${NAME}` in a value
is the environment variable; a password can come from there only, and is never shown.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from geoai.errors import ConfigError
from geoai.redaction import secrets_in, without_secrets

NAME = r"\$\{(\w+)\}"
"""An environment variable in a value."""


class Section(BaseModel):
    """A part of the configuration: frozen, and closed to keys it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True)


S = TypeVar("S", bound=Section)


def load(path: Path, schema: type[S], overrides: Mapping[str, Any] | None = None) -> S:
    """Read the YAML file *path*, lay *overrides* ('map.source' → value) over it, check it against *schema*.

    Raises ConfigError with one line per problem: file, line, key, what was expected, what was found.
    """
    values, lines = _read(path)
    base = values.pop("extends", None)
    if base is not None:
        if not isinstance(base, str):
            raise ConfigError(f"{path}: extends: expected the name of a file, found {base!r}")
        base_path = path.parent / base
        base_values, _ = _read(base_path)
        if "extends" in base_values:
            raise ConfigError(f"{base_path}: expected no further 'extends', found {base_values['extends']!r}")
        values = _merged(base_values, values)
    for key, value in (overrides or {}).items():
        values = _merged(values, _nested(key.split("."), value))
    try:
        return schema.model_validate(values)
    except ValidationError as error:
        raise ConfigError("\n".join(_explain(path, lines, error, schema))) from None


def _read(path: Path) -> tuple[dict[str, Any], dict[tuple[str, ...], int]]:
    """Return the mapping in a YAML file, environment variables filled in, and the line of each key."""
    try:
        text = path.read_text(encoding="utf-8")
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        values = yaml.safe_load(text) or {}
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: expected a readable YAML file, found {error}") from error
    except yaml.MarkedYAMLError as error:  # its own words quote the line, which may hold a password
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ConfigError(f"{path}:{line}: expected YAML, {error.problem}") from None
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}: expected YAML, found {' '.join(str(error).split())}") from error
    if not isinstance(values, dict):
        raise ConfigError(f"{path}: expected a mapping of keys, found {type(values).__name__}")
    lines = dict(_lines(node)) if node is not None else {}
    filled: dict[str, Any] = _with_environment(values, path)
    return filled, lines


def _refuse_secrets(text: str, path: Path) -> None:
    """Raise ConfigError for a password that stands in the file itself."""
    if not all(re.match(rf"'?{NAME}'?(&|$)", secret) for secret in secrets_in(text)):
        raise ConfigError(
            f"{path}: expected no password or key in the file, found one in {without_secrets(text)!r}; "
            "keep it in ~/.pgpass, PGPASSWORD or a variable that ${NAME} stands for"
        )


def _lines(node: yaml.Node, prefix: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], int]]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield (*prefix, str(key.value)), key.start_mark.line + 1
            yield from _lines(value, (*prefix, str(key.value)))


def _with_environment(value: Any, path: Path) -> Any:
    if isinstance(value, dict):
        return {key: _with_environment(item, path) for key, item in value.items()}
    if isinstance(value, list):
        return [_with_environment(item, path) for item in value]
    if not isinstance(value, str):
        return value
    _refuse_secrets(value, path)

    def fill(match: re.Match[str]) -> str:
        name = match.group(1)
        if name not in os.environ:
            raise ConfigError(f"{path}: expected the environment variable {name} to be set, found none")
        return os.environ[name]

    return re.sub(NAME, fill, value)


def _merged(base: Mapping[str, Any], top: Mapping[str, Any]) -> dict[str, Any]:
    """Return *base* with *top* laid over it, section by section."""
    merged = dict(base)
    for key, value in top.items():
        below = merged.get(key)
        merged[key] = _merged(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return merged


def _nested(keys: list[str], value: Any) -> dict[str, Any]:
    return {keys[0]: _nested(keys[1:], value) if len(keys) > 1 else value}


def _explain(
    path: Path, lines: dict[tuple[str, ...], int], error: ValidationError, schema: type[Section]
) -> Iterator[str]:
    for problem in error.errors():
        keys = tuple(str(part) for part in problem["loc"])
        line = next((lines[keys[:n]] for n in range(len(keys), 0, -1) if keys[:n] in lines), None)
        place = f"{path}:{line}" if line else f"{path}"
        key = ".".join(keys)
        if problem["type"] == "extra_forbidden":
            yield f"{place}: unknown key {key}{_suggestion(keys, schema)}"
        elif problem["type"] == "value_error":
            yield f"{place}: {problem['ctx']['error']}"
        else:
            yield f"{place}: {key}: {problem['msg']}, found {_shown(problem['input'], keys)}"


def _shown(value: Any, keys: tuple[str, ...]) -> str:
    """Return what was found as text; of more than a value not what is in it, which may be a password."""
    if isinstance(value, (dict, list)):
        return "a section" if isinstance(value, dict) else "a list"
    return "another text" if "auth" in keys else without_secrets(repr(value))


def _suggestion(keys: tuple[str, ...], schema: type[Section]) -> str:
    """Return '; did you mean …?' where a known key of the same section is close."""
    section: Any = schema
    for key in keys[:-1]:
        section = getattr(section, "model_fields", {}).get(key)
        section = getattr(section, "annotation", None)
    near = difflib.get_close_matches(keys[-1], getattr(section, "model_fields", {}), n=1)
    return f"; did you mean {near[0]}?" if near else ""
