"""A PostgreSQL of the suite's own: initdb in a temporary folder, on loopback (JDBC knows no Unix sockets), no
trace left.

`MANTEL_TESTED_ON=postgresql pytest tests/appliance` runs what else is on SQLite there too.

Use `postgres_url` (an empty database for one test) with `@pytest.mark.postgres`, or `any_database`,
which runs a test on SQLite and on PostgreSQL.
"""

from __future__ import annotations

import atexit
import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator
from functools import cache
from pathlib import Path

import pytest

from appliance.database import Database
from tests.ports import free_port


def _programs() -> Path | None:
    """The newest installed PostgreSQL's programs."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: int(p.parts[-3]))
    return found[-1].parent if found else None


def _as_nobody_special() -> list[str]:
    """PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return []
    try:
        user = pwd.getpwnam("postgres")
    except KeyError:
        user = pwd.getpwnam("nobody")
    return ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]


class Postgres:
    """A running server; `new_database()` gives a URL."""

    def __init__(self) -> None:
        programs = _programs()
        if programs is None:
            pytest.fail("PostgreSQL is not installed: apt-get install postgresql")
        self._programs, self._as = programs, _as_nobody_special()
        self.folder = Path(tempfile.mkdtemp(prefix="mantel-pg-", dir="/tmp"))
        if self._as:
            uid, gid = (int(word.partition("=")[2]) for word in self._as[1:3])
            os.chown(self.folder, uid, gid)
        self._run("initdb", "-D", f"{self.folder}/data", "-U", "mantel", "-A", "trust", "-E", "UTF8", "-N")
        self.port = free_port()
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c fsync=off"
        options += " -c shared_buffers=32MB -c max_connections=60"
        self._server = subprocess.Popen(
            [
                *self._as,
                str(programs / "postgres"),
                "-D",
                f"{self.folder}/data",
                "-k",
                str(self.folder),
                *options.split(),
            ],
            stdout=subprocess.DEVNULL,
            stderr=(self.folder / "log").open("w"),
            cwd="/",
        )
        for _ in range(200):
            if self._psql("select 1").returncode == 0:
                return
            time.sleep(0.1)
        raise AssertionError((self.folder / "log").read_text())

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [*self._as, str(self._programs / program), *arguments], check=True, capture_output=True, cwd="/"
        )

    def _psql(self, sql: str) -> subprocess.CompletedProcess[bytes]:
        words = ["-h", str(self.folder), "-p", str(self.port), "-U", "mantel", "-d", "postgres", "-qAtc", sql]
        return subprocess.run([*self._as, str(self._programs / "psql"), *words], capture_output=True, cwd="/")

    def new_database(self) -> str:
        """SQLAlchemy URL of an empty database."""
        name = f"mantel_{secrets.token_hex(4)}"
        made = self._psql(f"create database {name}")
        assert made.returncode == 0, made.stderr
        return f"postgresql+asyncpg://mantel@127.0.0.1:{self.port}/{name}"

    def stop(self) -> None:
        self._server.terminate()
        self._server.wait(20)
        shutil.rmtree(self.folder, ignore_errors=True)


@cache
def _of_the_run() -> Postgres:
    server = Postgres()
    atexit.register(server.stop)
    return server


@cache
def url_of_the_run(folder: Path) -> str | None:
    """With MANTEL_TESTED_ON=postgresql, the database of a test that else has SQLite here; None without."""
    on = os.environ.get("MANTEL_TESTED_ON", "sqlite")
    assert on in ("sqlite", "postgresql"), on
    return _of_the_run().new_database() if on == "postgresql" else None


@pytest.fixture(scope="session")
def postgres() -> Postgres:
    return _of_the_run()


@pytest.fixture
def postgres_url(postgres: Postgres) -> str:
    return postgres.new_database()


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def any_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Of an empty store without tables: the test runs once on SQLite and once on PostgreSQL."""
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path / 'any.db'}"
    found: str = request.getfixturevalue("postgres").new_database()
    return found


@pytest.fixture
async def any_database(any_database_url: str) -> AsyncIterator[Database]:
    """An empty store with all tables, on either database."""
    found = Database(any_database_url)
    await found.migrate()
    yield found
    await found.close()
