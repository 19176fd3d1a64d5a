"""The systemd units in flows/systemd are what systemd takes."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

UNITS = Path(__file__).parent.parent / "flows" / "systemd"
SITE = "/srv/geoai/.venv/bin"


def test_units_are_sound(tmp_path: Path) -> None:
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd-analyze is not installed")
    for unit in UNITS.iterdir():
        text = unit.read_text(encoding="utf-8")
        assert text.startswith("# "), "says what it is"
        # systemd looks for the program, which is not installed under /srv here
        (tmp_path / unit.name).write_text(text.replace(SITE, str(Path(sys.executable).parent)))
    done = subprocess.run(
        ["systemd-analyze", "verify", *tmp_path.iterdir()], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_the_server_is_on_loopback_and_secrets_are_in_no_unit() -> None:
    server = (UNITS / "geoai-server.service").read_text(encoding="utf-8")
    assert "--host 127.0.0.1" in server
    for unit in UNITS.glob("*.service"):
        text = unit.read_text(encoding="utf-8")
        assert "User=geoai" in text, unit.name
        for word in ("PASSWORD=", "TOKEN=", "SECRET="):
            assert word not in text, unit.name
