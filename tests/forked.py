"""The command line in processes of its own that can be killed at any step, without a second of start-up each.

`python forked.py` imports everything once and then forks a process for each line it reads: JSON of words (the
command line), kill_at (a step, 0 for none), stderr and stdout (files). It answers with the process's id, and
when that has ended with its return code and the number of steps.

A step is something done to a file that the process makes: one that is opened to write, renamed, removed, and
every statement of SQLite that writes. The process ends itself by SIGKILL before the step of number *kill_at*.
"""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
FILES = ("os.rename", "os.remove", "os.rmdir", "os.mkdir", "tempfile.mkstemp", "os.truncate")
STATEMENTS = ("BEGIN", "COMMIT", "INSERT", "UPDATE", "DELETE", "CREATE", "ALTER")


class Ended(NamedTuple):
    """How a command ended: *code* is negative where a signal ended it."""

    code: int
    steps: int
    stdout: str
    stderr: str

    @property
    def line(self) -> str:
        """The one line that a command which fails says."""
        lines = [line for line in self.stderr.splitlines() if line.strip()]
        assert len(lines) == 1, self.stderr
        return lines[0]


class Commands:
    """Runs geoai's command line, a process each."""

    def __init__(self, process: subprocess.Popen[str], folder: Path) -> None:
        self._process, self._folder = process, folder
        self._running: int | None = None

    def start(self, *words: str | Path, kill_at: int = 0, **environment: str) -> int:
        """Start a command and return its process id; one that a failed test left running is ended."""
        if self._running is not None:
            os.kill(self._running, signal.SIGKILL)
            self._answer()
        told = {"words": [*map(str, words)], "kill_at": kill_at, "environment": environment}
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(told | {"folder": str(self._folder)}) + "\n")
        self._process.stdin.flush()
        self._running = int(self._answer()["pid"])
        return self._running

    def wait(self) -> Ended:
        """Wait for the command to end."""
        told = self._answer()
        self._running = None
        texts = ((self._folder / name).read_text("utf-8") for name in ("stdout", "stderr"))
        return Ended(told["code"], told["steps"], *texts)

    def __call__(self, *words: str | Path, kill_at: int = 0, **environment: str) -> Ended:
        """Run a command to its end."""
        self.start(*words, kill_at=kill_at, **environment)
        return self.wait()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer


@contextmanager
def open_commands(folder: Path) -> Iterator[Commands]:
    """Start the process that forks, and end it, and whatever it started, in the end."""
    with subprocess.Popen(
        [sys.executable, __file__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        start_new_session=True,
    ) as process:
        try:
            yield Commands(process, folder)
        finally:
            os.killpg(process.pid, signal.SIGKILL)


class _Database(sqlite3.Connection):
    """A connection whose statements are steps."""

    def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
        _statement(sql)
        return super().execute(sql, *values)

    def executemany(self, sql: str, *values: Any) -> sqlite3.Cursor:
        _statement(sql)
        return super().executemany(sql, *values)


_steps = 0
_kill_at = 0


def _step() -> None:
    global _steps
    _steps += 1
    if _steps == _kill_at:
        os.kill(os.getpid(), signal.SIGKILL)


def _statement(sql: str) -> None:
    if sql.lstrip().upper().startswith(STATEMENTS):
        _step()


def _on_event(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "open":
        path, mode, flags = arguments
        writes = any(letter in mode for letter in "wax+") if isinstance(mode, str) else flags & WRITING
        if writes and isinstance(path, str | Path) and str(path).startswith(str(_data)):
            _step()
    elif event in FILES and str(arguments[0]).startswith(str(_data)):
        _step()


_data = Path()


def _run(told: dict[str, Any]) -> None:
    """Be the command: never returns."""
    from geoai import cli

    global _kill_at, _data
    for number, name in ((1, "stdout"), (2, "stderr")):
        os.dup2(os.open(Path(told["folder"], name), os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
    os.environ.update(told["environment"])
    words = told["words"]
    _kill_at = told["kill_at"]
    _data = Path(words[words.index("--data") + 1]) if "--data" in words else Path("/nowhere")
    connect = sqlite3.connect
    sqlite3.connect = lambda *given, **options: connect(*given, **({"factory": _Database} | options))
    sys.addaudithook(_on_event)
    sys.argv = ["geoai", *words]
    code = 0
    try:
        cli.main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException:
        import traceback

        traceback.print_exc()
        code = 99
    sys.stdout.flush()
    sys.stderr.flush()
    Path(told["folder"], "steps").write_text(str(_steps))
    os._exit(code)


def _serve() -> None:
    # what a run imports, so that no child has to
    import onnxruntime  # noqa: F401
    import scipy.special  # noqa: F401
    import torch  # noqa: F401

    import geoai.demo
    import geoai.evaluation
    import geoai.merging
    import geoai.pipeline
    import geoai.report  # noqa: F401

    for line in sys.stdin:
        told = json.loads(line)
        steps = Path(told["folder"], "steps")
        steps.unlink(missing_ok=True)
        pid = os.fork()
        if pid == 0:
            _run(told)
        print(json.dumps({"pid": pid}), flush=True)
        _, status = os.waitpid(pid, 0)
        code = os.waitstatus_to_exitcode(status)
        print(
            json.dumps({"code": code, "steps": int(steps.read_text()) if steps.exists() else 0}), flush=True
        )


if __name__ == "__main__":
    _serve()
