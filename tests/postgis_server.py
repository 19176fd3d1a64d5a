"""A PostgreSQL that the tests start themselves, and databases with PostGIS in it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

PASSWORD = "hemligt:1"


@dataclass(frozen=True)
class Server:
    """A PostgreSQL of our own: trusts whoever comes by its socket, asks for a password on the network."""

    folder: Path
    port: int

    def source(self, database: str = "karta") -> str:
        return f"PG:host={self.folder} port={self.port} user=postgres dbname={database}"

    def execute(self, *statements: str, database: str = "karta") -> Any:
        with psycopg.connect(self.source(database).removeprefix("PG:"), autocommit=True) as connection:
            return [connection.execute(statement) for statement in statements][-1]


def as_server(command: Sequence[Any], **options: Any) -> None:
    """Run a program of PostgreSQL, which refuses to run as root."""
    prefix = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    subprocess.run([*prefix, *command], check=True, stdout=subprocess.DEVNULL, **options)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"), key=lambda path: int(path.parts[4]))
    if not found:
        pytest.skip("PostgreSQL is not installed (apt install postgresql-postgis)")
    programs = found[-1].parent
    folder = Path(tempfile.mkdtemp(prefix="geoai-pg-"))  # a socket's path must be short
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")
    data, server = str(folder / "data"), Server(folder, free_port())
    trust = ["--auth-local=trust", "--auth-host=scram-sha-256"]
    options = f"-k {folder} -p {server.port} -c listen_addresses=127.0.0.1 -c fsync=off"
    try:
        as_server(
            [programs / "initdb", "-D", data, "-U", "postgres", "-E", "UTF8", "--locale=C", "-N", *trust],
            cwd=folder,
        )
        as_server(
            [programs / "pg_ctl", "-D", data, "-w", "-l", f"{folder}/log", "-o", options, "start"], cwd=folder
        )
        yield server
    finally:
        if (folder / "data/postmaster.pid").exists():
            as_server([programs / "pg_ctl", "-D", data, "-m", "immediate", "stop"], cwd=folder)
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def template(server: Server) -> str:
    """A database with PostGIS, to copy."""
    query = "SELECT 1 FROM pg_available_extensions WHERE name = 'postgis'"
    with psycopg.connect(server.source("postgres").removeprefix("PG:")) as connection:
        if connection.execute(query).fetchone() is None:
            pytest.skip("PostgreSQL has no PostGIS (apt install postgresql-postgis)")
    server.execute(
        f"CREATE ROLE anna LOGIN PASSWORD '{PASSWORD}'", "CREATE DATABASE mall", database="postgres"
    )
    server.execute("CREATE EXTENSION postgis", database="mall")
    return "mall"


@pytest.fixture
def karta(server: Server, template: str) -> Iterator[Server]:
    """The server with an empty PostGIS database named karta."""
    server.execute(f"CREATE DATABASE karta TEMPLATE {template}", database="postgres")
    yield server
    server.execute("DROP DATABASE karta WITH (FORCE)", database="postgres")
