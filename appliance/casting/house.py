"""The players of the house: who is remembered, who is there, and how to reach them."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from zeroconf.asyncio import AsyncZeroconf

from appliance.accounts.ids import new_id
from appliance.casting import store
from appliance.casting.google_cast import CastDevice, CastDiscovery, CastFound
from appliance.casting.player import Connection, Kind, Player, Standing, clean_name
from appliance.database import Database
from appliance.errors import NotFound, Unavailable
from appliance.power.neighbours import mac_of
from appliance.units import SECONDS
from dlna.casting.discovery import Discovery
from dlna.casting.events import Events
from dlna.casting.foreign import foreign_session
from dlna.casting.playback import Away, PlayerError
from dlna.casting.renderer import Renderer
from dlna.casting.sightings import Appeared, Change, Sighting
from dlna.interfaces import Interface, facing

log = logging.getLogger(__name__)

AGAIN = (1 * SECONDS, 4 * SECONDS, 15 * SECONDS)
"""Pauses after a renderer did not let itself be connected: many announce themselves before they listen."""
CAST_AGAIN = 10 * SECONDS
CAST_TRIES = 30
KNOCK_PATIENCE = 3 * SECONDS
COMES_WITHIN = 60 * SECONDS
"""From waking a TV to its first word on the network."""


@dataclass
class Present:
    """A player that is on the network now. `connection` is None for a Cast device that nobody plays on."""

    connect: Callable[[], Awaitable[Connection]]
    connection: Connection | None = None


class House:
    """Keeps `players` and who of them is present. Its ways out are set by `Casting`:

    `arrived(player, connection)` when one is there (again), `left(player)` when it is gone;
    `described(address, maker, model, model description)` what a renderer says of itself.
    """

    def __init__(
        self,
        database: Database,
        interfaces: Callable[[], Sequence[Interface]],
        lan_port: Callable[[], int],
        mdns: AsyncZeroconf | None,
        *,
        trust_all: bool = False,
    ) -> None:
        self._database, self._interfaces, self._lan_port = database, interfaces, lan_port
        self.trust_all = trust_all
        self.events = Events()
        self._players: dict[str, Player] = {}
        self._present: dict[str, Present] = {}
        self._came = asyncio.Condition()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._connecting: dict[str, asyncio.Task[None]] = {}
        self._saving = asyncio.Lock()
        self._discovery = Discovery(interfaces, self._renderer_changed)
        self._cast = CastDiscovery(mdns, interfaces, self._cast_found, self._cast_gone) if mdns else None
        self.arrived: Callable[[Player, Connection | None], Awaitable[None]] = _nobody
        self.left: Callable[[Player], None] = lambda player: None
        self.changed: Callable[[Player], None] = lambda player: None
        self.described: Callable[[str, str, str, str], None] = lambda *_: None

    async def start(self) -> None:
        self._session = foreign_session()
        async with self._database.read() as connection:
            self._players = {player.id: player for player in await store.all_players(connection)}
        self._spawn(self._discovery.run())
        if self._cast:
            await self._cast.start()

    async def stop(self) -> None:
        """Hang up everywhere; what plays goes on."""
        if self._cast:
            await self._cast.stop()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        open_ones = [p.connection.close() for p in self._present.values() if p.connection]
        await asyncio.gather(*open_ones, return_exceptions=True)
        self._present.clear()
        await self._session.close()

    def all(self) -> tuple[Player, ...]:
        return tuple(sorted(self._players.values(), key=lambda p: p.shown_name.casefold()))

    def player(self, player_id: str) -> Player:
        """Raises NotFound."""
        try:
            return self._players[player_id]
        except KeyError:
            raise NotFound("player", player_id) from None

    def is_present(self, player: Player) -> bool:
        return player.id in self._present

    def connection(self, player: Player) -> Connection | None:
        """The open connection, where there is one."""
        present = self._present.get(player.id)
        return present.connection if present else None

    async def connected(self, player: Player) -> Connection:
        """A connection to a player that is there. Raises Unavailable, PlayerError."""
        present = self._present.get(player.id)
        if present is None:
            raise Unavailable(player.shown_name, "it is not on the network")
        if present.connection is None:
            connection = await present.connect()
            self._open(player, present, connection)
        assert present.connection
        return present.connection

    async def until_present(self, player: Player, seconds: float = COMES_WITHIN) -> None:
        """Wait for a player that was woken, asking for it meanwhile. Raises Unavailable."""
        end = time.monotonic() + seconds
        async with self._came:
            while player.id not in self._present:
                left = end - time.monotonic()
                if left <= 0:
                    raise Unavailable(player.shown_name, f"it did not come within {seconds:g} s")
                self._discovery.search_now()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._came.wait(), min(left, 3.0))

    def search_now(self) -> None:
        self._discovery.search_now()

    def origin(self, player: Player) -> str:
        """`http://10.0.0.5:8200`: we, as this player reaches us. Raises Unavailable."""
        ours = facing(player.address, self._interfaces())
        if ours is None:
            raise Unavailable(player.shown_name, "it is on no network of ours any more")
        return f"http://{ours.address}:{self._lan_port()}"

    async def change(self, player_id: str, **changes: Any) -> Player:
        """Raises NotFound."""
        return await self._save(replace(self.player(player_id), **changes))

    async def forget(self, player_id: str) -> None:
        """It is new again when it is seen next. Raises NotFound."""
        player = self.player(player_id)
        async with self._database.write() as connection:
            await store.forget_player(connection, player_id)
        self._players.pop(player_id, None)
        self._leave(player)

    # Renderers

    def _renderer_changed(self, change: Change) -> None:
        udn = change.sighting.udn if isinstance(change, Appeared) else change.udn
        if old := self._connecting.pop(udn, None):
            old.cancel()
        if isinstance(change, Appeared):
            self._connecting[udn] = self._spawn(self._connect_renderer(change.sighting))
        elif player := self._by_key(Kind.DLNA, udn):
            self._leave(player)

    async def _connect_renderer(self, sighting: Sighting) -> None:
        silent = False
        for pause in AGAIN:
            ours = facing(sighting.address, self._interfaces())
            if ours is None:
                return
            try:
                renderer = await Renderer.connect(
                    self._session,
                    self.events,
                    location=sighting.location,
                    address=sighting.address,
                    udn=sighting.udn,
                    our_origin=f"http://{ours.address}:{self._lan_port()}",
                )
            except PlayerError as error:
                log.info("A renderer at %s cannot be used: %s", sighting.address, error)
                silent = isinstance(error, Away)
                await asyncio.sleep(pause)
                continue
            maker, model = renderer.maker_and_model
            self.described(sighting.address, maker, model, renderer.model_description)
            player = await self._seen(
                Kind.DLNA, sighting.udn, renderer.name, maker, model, sighting.address, renderer.sink
            )
            self._leave(player)
            self._open(player, Present(_away), renderer)
            await self._come(player, renderer)
            return
        if silent:
            # Its next word, the answer to a search at the latest, is a reason to try again.
            self._discovery.lost(sighting.udn)

    # Cast devices

    def _cast_found(self, found: CastFound) -> None:
        self._spawn(self._take_cast(found))

    async def _take_cast(self, found: CastFound) -> None:
        # A connection tells that it is there, and fills the neighbour table, which tells the MAC.
        try:
            async with asyncio.timeout(KNOCK_PATIENCE):
                _, writer = await asyncio.open_connection(found.address, found.port)
        except (OSError, TimeoutError):
            return
        writer.close()
        player = await self._seen(
            Kind.CAST, str(found.uuid), found.name, "", found.model, found.address, found.sink
        )
        before = self._present.get(player.id)
        if before is None or before.connection is None:
            self._present[player.id] = Present(lambda: CastDevice.connect(found))
            await self._come(player, None)

    def _cast_gone(self, uuid: UUID) -> None:
        player = self._by_key(Kind.CAST, str(uuid))
        present = self._present.get(player.id) if player else None
        # mDNS records run out on busy Wi-Fi: an open connection knows better.
        if player and present and present.connection is None:
            self._leave(player)

    # Both

    def _by_key(self, kind: Kind, key: str) -> Player | None:
        return next((p for p in self._players.values() if p.kind is kind and p.key == key), None)

    async def _seen(
        self, kind: Kind, key: str, name: str, maker: str, model: str, address: str, sink: frozenset[str]
    ) -> Player:
        """Remember what was seen. A new one is not yet allowed, nor a known one behind another MAC."""
        mac = mac_of(address)
        async with self._saving:
            known = self._by_key(kind, key)
            first = Standing.ALLOWED if self.trust_all else Standing.NEW
            if known is None:
                known = Player(id=new_id("p"), kind=kind, key=key, name="", standing=first, mac=mac)
            elif known.mac and mac and known.mac != mac and known.standing is Standing.ALLOWED:
                log.warning("The player %s has another MAC than before; it is new", known.shown_name)
                known = replace(known, standing=first)
            return await self._save(
                replace(
                    known,
                    name=clean_name(name),
                    maker=clean_name(maker, ""),
                    model=clean_name(model, ""),
                    mac=mac or known.mac,
                    address=address,
                    sink=sink,
                    last_seen_at=time.time_ns() // 1_000_000,
                )
            )

    async def _save(self, player: Player) -> Player:
        async with self._database.write() as connection:
            await store.save_player(connection, player)
        self._players[player.id] = player
        self.changed(player)
        return player

    def _open(self, player: Player, present: Present, connection: Connection) -> None:
        present.connection = connection
        self._present[player.id] = present
        connection.on_lost = lambda: self._lost(player, connection)

    async def _come(self, player: Player, connection: Connection | None) -> None:
        await self.arrived(player, connection)
        self.changed(player)
        async with self._came:
            self._came.notify_all()

    def _lost(self, player: Player, connection: Connection) -> None:
        if self.connection(player) is connection:
            self._leave(player)
            if player.kind is Kind.DLNA:
                self._discovery.lost(player.key)
            else:
                self._spawn(self._cast_again(player))

    async def _cast_again(self, player: Player) -> None:
        """A Cast device restarts without a goodbye, and mDNS does not tell of it again: so we look."""
        for _ in range(CAST_TRIES):
            await asyncio.sleep(CAST_AGAIN)
            if self._cast is None or player.id in self._present:
                return
            await self._cast.look_again()

    def _leave(self, player: Player) -> None:
        present = self._present.pop(player.id, None)
        if present is None:
            return
        if present.connection:
            self._spawn(present.connection.close())
        self.left(player)
        self.changed(player)

    def _spawn(self, work: Any) -> asyncio.Task[Any]:
        task: asyncio.Task[Any] = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.error("Looking after a player failed", exc_info=error)


async def _away() -> Connection:
    """A renderer is connected as soon as it is seen; without that there is none."""
    raise Unavailable("The player", "it does not answer")


async def _nobody(player: Player, connection: Connection | None) -> None:
    pass
