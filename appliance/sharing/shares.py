"""Links that open some files to whoever holds them.

Rules:
1. One resolver, `opened` and then `file`, stands before every part of a link: list, bytes, metadata. It asks,
   at each request: is the link whole, in time, not taken back, opened by this browser; may its owner still
   share; and is the file's content the one that was shared.
2. Only Open (a POST of the page itself) uses a one-time link up. Previews and ranges use nothing up.
3. What a link leads to is fixed when it is made: files by id, a folder as it stands then.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from appliance.accounts import store as accounts_store
from appliance.accounts import throttle
from appliance.accounts.accounts import Accounts
from appliance.accounts.caller import Audience, Caller, Role, Via
from appliance.accounts.client import Client, device_name
from appliance.accounts.ids import new_id
from appliance.database import Database
from appliance.errors import Forbidden, Invalid, NotFound, NotSignedIn
from appliance.journal.entry import now_ms
from appliance.library.items import File, FileQuery
from appliance.library.library import Library
from appliance.sharing import store
from appliance.sharing.share import (
    Opening,
    Share,
    SharedFile,
    is_token,
    opening_cookie,
    read_opening,
    share_id_of,
    token,
)
from appliance.units import DAYS, HOURS

LONGEST = 366 * DAYS
USUAL = 7 * DAYS
OPEN_FOR = 24 * HOURS
KEPT = 30 * DAYS
"""A link that is over still tells so long who opened it."""
MOST_FILES = 500


@dataclass(frozen=True)
class Opened:
    """A link that this browser may use now. `viewer` is whom the library and the journal see."""

    share: Share
    viewer: Caller


class Shares:
    def __init__(
        self, database: Database, accounts: Accounts, library: Library, now: Callable[[], int] = now_ms
    ) -> None:
        self._database, self._accounts, self._library, self._now = database, accounts, library, now
        accounts.on_lockdown.append(self._cut_all)

    async def make(
        self,
        caller: Caller,
        *,
        file_ids: Sequence[str] = (),
        folder_id: str | None = None,
        title: str = "",
        seconds: int = USUAL,
        password: str | None = None,
        one_time: bool = False,
        download: bool = True,
        with_place: bool = False,
    ) -> Share:
        """A link to files, or to what lies in a folder now. NotFound for what the caller does not see."""
        if not 60 <= seconds <= LONGEST:
            raise Invalid("seconds", seconds, f"60 to {LONGEST} are allowed")
        if bool(file_ids) == bool(folder_id) or len(file_ids) > MOST_FILES:
            raise Invalid("file_ids", "…", f"1 to {MOST_FILES} file_ids, or a folder_id, are allowed")
        if caller.user_id is None:
            raise Forbidden("A guest shares nothing.")
        found = await self._chosen(caller, file_ids, folder_id)
        hashed = await self._accounts.passwords.hash(password) if password else None
        now = self._now()
        async with self._database.write() as connection:
            share = Share(
                id=new_id("l"),
                owner_id=caller.user_id,
                title=(title or found[0].name)[:200],
                created_at=now,
                expires_at=now + seconds * 1000,
                generation=1,
                epoch=await accounts_store.epoch(connection),
                password_hash=hashed,
                one_time=one_time,
                download=download,
                with_place=with_place,
                revoked=False,
                bound_to=None,
            )
            files = [SharedFile(file.id, file.size_bytes, file.mtime_ns) for file in found]
            await store.add(connection, share, files)
            await store.forget(connection, now - KEPT * 1000)
        self._accounts.door_bell.ring("link")
        return share

    async def _chosen(
        self, caller: Caller, file_ids: Sequence[str], folder_id: str | None
    ) -> tuple[File, ...]:
        if folder_id is None:
            return tuple([await self._library.file(one, caller.sees) for one in dict.fromkeys(file_ids)])
        await self._library.folder(folder_id, caller.sees)
        page = await self._library.page(FileQuery(below=folder_id, limit=MOST_FILES), caller.sees)
        if page.total > MOST_FILES or not page.items:
            raise Invalid("folder_id", folder_id, f"a folder with 1 to {MOST_FILES} files is allowed")
        return page.items

    def token(self, share: Share) -> str:
        return token(self._accounts.keys, share)

    async def list(self, caller: Caller, everybody: bool = False) -> tuple[tuple[Share, int], ...]:
        """Links that are not over, with how often each was opened."""
        owner = None if everybody and caller.may(Role.ADMIN) else caller.user_id
        async with self._database.read() as connection:
            epoch = await accounts_store.epoch(connection)
            found = await store.all_shares(connection, owner, self._now())
            return tuple(
                [(s, await store.count_openings(connection, s.id)) for s in found if s.epoch >= epoch]
            )

    async def owners(self) -> dict[str, str]:
        """Everybody's name by id, for lists of links."""
        return {person.id: person.username for person in await self._accounts.users.list()}

    async def titles(self) -> dict[str, str]:
        """What each link that is not over is called, by its id."""
        async with self._database.read() as connection:
            return {one.id: one.title for one in await store.all_shares(connection, None, self._now())}

    async def details(self, share_id: str, caller: Caller) -> tuple[Share, tuple[Opening, ...]]:
        """One's own link, or as admin anybody's, and who opened it. NotFound else."""
        async with self._database.read() as connection:
            share = await self._own(connection, share_id, caller)
            return share, await store.openings(connection, share_id)

    async def take_back(self, share_id: str, caller: Caller) -> None:
        """The link and whatever it opened are over; what runs by it ends at once."""
        async with self._database.write() as connection:
            await self._own(connection, share_id, caller)
            await store.revoke(connection, share_id, self._now())
        self._accounts.sessions.running.cut(running_as(share_id))
        self._accounts.door_bell.ring("link")

    async def _own(self, connection: AsyncConnection, share_id: str, caller: Caller) -> Share:
        share = await store.share(connection, share_id)
        if share is None or (share.owner_id != caller.user_id and not caller.may(Role.ADMIN)):
            raise NotFound("link", share_id)
        return share

    async def look(self, text: str) -> Share:
        """The link behind a token, before it is opened. NotFound for whatever is not good now."""
        async with self._database.read() as connection:
            share = await store.share(connection, share_id_of(text))
            if (
                share is None
                or not is_token(self._accounts.keys, share, text)
                or share.revoked
                or share.expires_at <= self._now()
                or share.epoch < await accounts_store.epoch(connection)
                or not await self._owner_may(connection, share)
            ):
                raise NotFound("link", "…")
        return share

    async def _owner_may(self, connection: AsyncConnection, share: Share) -> bool:
        owner = await accounts_store.user(connection, share.owner_id)
        return owner is not None and owner[0].role >= Role.EDITOR

    async def open(
        self, text: str, password: str | None, cookie: str | None, client: Client
    ) -> tuple[str, int]:
        """The cookie for this browser, and its seconds. Forbidden for a wrong password or a used link."""
        share = await self.look(text)
        if share.password_hash:
            await self._check_password(share, password, client)
        now = self._now()
        again = read_opening(self._accounts.keys, share, cookie)
        opening = Opening(
            id=secrets.token_hex(16),
            share_id=share.id,
            opened_at=now,
            expires_at=min(share.expires_at, now + OPEN_FOR * 1000),
            device_name=device_name(client.user_agent),
            address=client.address[:45],
        )
        async with self._database.write() as connection:
            if again and (held := await store.opening(connection, share.id, again)) and held.expires_at > now:
                return opening_cookie(self._accounts.keys, share, held.id), (held.expires_at - now) // 1000
            if share.one_time and not await store.bind(connection, share.id, opening.id):
                raise Forbidden("This link was opened already, on another device.")
            await store.add_opening(connection, opening)
        self._accounts.door_bell.ring("link")
        return opening_cookie(self._accounts.keys, share, opening.id), (opening.expires_at - now) // 1000

    async def _check_password(self, share: Share, password: str | None, client: Client) -> None:
        key = [f"share:{share.id}:{client.neighbourhood}"]
        async with self._database.write() as connection:
            await throttle.claim(connection, key, self._now())
        if not await self._accounts.passwords.matches(password or "", share.password_hash):
            raise Forbidden("That is not the password of this link.")
        async with self._database.write() as connection:
            await throttle.forgive(connection, key)

    async def opened(self, text: str, cookie: str | None, client: Client) -> Opened:
        """The link as this browser opened it. NotSignedIn before Open; NotFound when the link is over."""
        share = await self.look(text)
        opening_id = read_opening(self._accounts.keys, share, cookie)
        async with self._database.read() as connection:
            opening = await store.opening(connection, share.id, opening_id) if opening_id else None
            owner = await accounts_store.user(connection, share.owner_id)
        if opening is None or opening.expires_at <= self._now() or owner is None:
            raise NotSignedIn("Open the link first.")
        if share.one_time and share.bound_to != opening.id:
            raise NotSignedIn("Open the link first.")
        viewer = Caller(
            user_id=None,
            name=share.title,
            role=Role.GUEST,
            via=Via.SHARE,
            session_id=running_as(share.id),
            device=share.id,
            address=client.address,
            user_agent=client.user_agent,
        )
        return Opened(share, viewer)

    async def files(self, opened: Opened) -> tuple[File, ...]:
        """What the link still leads to, in its order."""
        async with self._database.read() as connection:
            wanted = await store.files(connection, opened.share.id)
        found = []
        for one in wanted:
            try:
                found.append(await self._as_shared(one))
            except NotFound:
                continue
        return tuple(found)

    async def file(self, opened: Opened, file_id: str) -> File:
        """One file of the link. NotFound for every other one, and when its content changed."""
        async with self._database.read() as connection:
            one = await store.shared_file(connection, opened.share.id, file_id)
        if one is None:
            raise NotFound("file", file_id)
        return await self._as_shared(one)

    async def _as_shared(self, one: SharedFile) -> File:
        # Owners are editors or more, and those see every audience.
        file = await self._library.file(one.file_id, frozenset(Audience))
        if (file.size_bytes, file.mtime_ns) != (one.size_bytes, one.mtime_ns):
            raise NotFound("file", one.file_id)
        return file

    async def _cut_all(self) -> None:
        running = self._accounts.sessions.running
        for session_id in running.sessions():
            if session_id.startswith(running_as("")):
                running.cut(session_id)


def running_as(share_id: str) -> str:
    """Under which name what a link sends is registered as running."""
    return f"share:{share_id}"
