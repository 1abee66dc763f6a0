"""Uploads over a real library, store and journal, behind a real socket."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from quart import Quart
from sqlalchemy import select

from appliance.accounts.caller import Audience, Caller, Role, Via, set_calling
from appliance.database import Database
from appliance.journal.journal import Journal
from appliance.journal.tables import access_log
from appliance.library.items import File, FileQuery
from appliance.library.library import Library
from appliance.uploads.back_pressure import BackPressure
from appliance.uploads.known import Known
from appliance.uploads.publishing import Publishing
from appliance.uploads.routes import blueprint
from appliance.uploads.uploads import Uploads
from appliance.web.errors import answer_errors
from tests.appliance.serving import Reply, ask, serving

EVERYBODY = frozenset(Audience)
MIRA = Caller("mira", "mira", Role.EDITOR, Via.COOKIE, device="phone", address="127.0.0.1", user_agent="test")
OTTO = Caller("otto", "otto", Role.EDITOR, Via.COOKIE, device="pad", address="127.0.0.1", user_agent="test")
BOUNDARY = "----shelf"


@dataclass
class House:
    root: Path
    database: Database
    library: Library
    uploads: Uploads
    known: Known

    async def files(self) -> dict[str, File]:
        """All that is listed, by folder and name."""
        page = await self.library.page(FileQuery(limit=1000), EVERYBODY)
        return {f"{file.folder}/{file.name}".strip("/"): file for file in page.items}

    def on_disk(self) -> dict[str, bytes]:
        """All that lies in the folders, the bookkeeping left out."""
        return {
            str(path.relative_to(self.root)): path.read_bytes()
            for path in sorted(self.root.rglob("*"))
            if path.is_file() and ".mantel" not in path.parts
        }

    def in_inbox(self) -> list[str]:
        return sorted(path.name for path in (self.root / ".mantel" / "inbox").iterdir())

    async def journaled(self, action: str) -> list[Any]:
        async with self.database.read() as connection:
            query = select(access_log).where(access_log.c.action == action)
            return list(await connection.execute(query))


@dataclass
class Web:
    port: int
    house: House

    async def ask(
        self, method: str, path: str, headers: dict[str, str] | None = None, body: bytes = b""
    ) -> Reply:
        return await ask(self.port, path, headers, method, body)

    async def upload(self, *files: tuple[str, bytes], folder: str | None = None, who: str = "mira") -> Reply:
        headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}", "X-Who": who}
        return await self.ask("POST", "/files/upload", headers, form_of(*files, folder=folder))


def form_of(*files: tuple[str, bytes], folder: str | None = None) -> bytes:
    body = b""
    if folder is not None:
        body += f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="folder"\r\n\r\n{folder}\r\n'.encode()
    for name, content in files:
        head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
        body += (head + "Content-Type: application/octet-stream\r\n\r\n").encode() + content + b"\r\n"
    return body + f"--{BOUNDARY}--\r\n".encode()


def problem(reply: Reply) -> dict[str, Any]:
    assert reply.headers["content-type"] == "application/problem+json"
    return dict(json.loads(reply.body))


def make_house(database: Database, root: Path, command: tuple[str, ...] = (), **options: Any) -> House:
    root.mkdir(exist_ok=True)
    library = Library(database, Journal(database), [root])
    uploads = Uploads(database, library, Publishing(database, library, command), **options)
    return House(root, database, library, uploads, Known(library, uploads))


def app_of(house: House, idle: float = 20) -> Quart:
    app = Quart("uploads")
    app.config["MAX_CONTENT_LENGTH"] = None
    app.register_blueprint(blueprint(house.uploads, house.known, idle))
    answer_errors(app)

    @app.before_request
    async def sign_in() -> None:
        from quart import request

        set_calling(OTTO if request.headers.get("X-Who") == "otto" else MIRA)

    app.asgi_app = BackPressure(app.asgi_app)  # type: ignore[method-assign]
    return app


@pytest.fixture
async def house(database: Database, tmp_path: Path) -> AsyncIterator[House]:
    made = make_house(database, tmp_path / "media")
    await made.library.adopt_roots()
    await made.uploads.start()
    yield made
    await made.uploads.stop()
    await made.library.stop()


@pytest.fixture
async def web(house: House) -> AsyncIterator[Web]:
    async with serving(app_of(house)) as port:
        yield Web(port, house)
