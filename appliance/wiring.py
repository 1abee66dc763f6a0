"""The composition root: what is started, in which order, top to bottom; stopped bottom to top."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import gc
import logging
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any, Protocol

from appliance.accounts import routes as account_routes
from appliance.accounts.accounts import Accounts
from appliance.accounts.caller import Caller, Role
from appliance.casting import routes as casting_routes
from appliance.casting.casting import Casting
from appliance.casting.house import House
from appliance.casting.lan_media import WithCasts
from appliance.casting.lan_routes import cast_routes
from appliance.choices import routes as choices_routes
from appliance.choices.choices import Choices
from appliance.dashboard import routes as dashboard_routes
from appliance.dashboard.reports import Reports
from appliance.database import Database
from appliance.journal import routes as journal_routes
from appliance.journal.feed import Feed
from appliance.journal.journal import Journal
from appliance.lan import routes as lan_routes
from appliance.lan.app import LanListener
from appliance.lan.mdns import Mdns
from appliance.lan.media_urls import MediaUrls
from appliance.library import routes as library_routes
from appliance.library.groups import Groups
from appliance.library.items import FileQuery
from appliance.library.library import Library
from appliance.logs import is_journal
from appliance.notify import notify, watchdog_seconds
from appliance.power import routes as power_routes
from appliance.power.machine import Machine
from appliance.power.power import Power, Seen, Waking
from appliance.service_tokens import TO_APPLIANCE, TO_DAEMON, service_token
from appliance.settings import Settings, set_by_environment
from appliance.sharing import routes as share_routes
from appliance.sharing.shares import Shares
from appliance.streaming import routes as streaming_routes
from appliance.streaming.phone_copies import PhoneCopies
from appliance.streaming.subtitles import Subtitles
from appliance.units import MINUTES
from appliance.uploads import routes as upload_routes
from appliance.uploads.known import Known
from appliance.uploads.publishing import Publishing
from appliance.uploads.uploads import Uploads
from appliance.web import routes as web_routes
from appliance.web.access import EVENTS, LAN
from appliance.web.app import create_web_app
from appliance.web.health import Health
from appliance.web.internal import create_internal_app
from appliance.web.listen import bind, port_of, quiet_cancellation, serve_until
from appliance.web.live import Live
from appliance.web.metrics import as_text, samples
from appliance.web.news import News, ScanNews
from appliance.web.trust import create_trust_app
from appliance.web.welcome import welcome
from dlna.interfaces import Interface, interfaces

log = logging.getLogger(__name__)

MOST_FOUND = 500
"""Files that words in the log's filter may mean."""
TRIM_EACH = 1 * MINUTES
DAEMON_AWAY = 10 * MINUTES
"""After so long our own probe describes what the daemon would have: slowly, but titles and art are there."""


@dataclass(frozen=True)
class Appliance:
    """Everything that runs, for `serve` and for tests. `settings` carries the ports really bound."""

    settings: Settings
    accounts: Accounts
    library: Library
    journal: Journal
    live: Live
    web_app: Any
    internal_app: Any
    web_socket: socket.socket
    internal_socket: socket.socket
    https_socket: socket.socket | None = None


class _Part(Protocol):
    async def start(self) -> None: ...
    async def stop(self) -> None: ...


@asynccontextmanager
async def build(settings: Settings) -> AsyncIterator[Appliance]:
    """All parts, started. Ports are bound first, so that a taken one stops us before anything changes."""
    async with AsyncExitStack() as stack:
        web_socket = stack.enter_context(contextlib.closing(bind(settings.bind, settings.http_port)))
        internal_socket = stack.enter_context(contextlib.closing(bind("127.0.0.1", settings.internal_port)))
        https_socket = None
        if settings.https_port is not None:
            https_socket = stack.enter_context(contextlib.closing(bind(settings.bind, settings.https_port)))
            settings = replace(settings, https_port=port_of(https_socket))
        settings = replace(settings, http_port=port_of(web_socket), internal_port=port_of(internal_socket))

        async def started(part: _Part) -> None:
            await part.start()
            stack.push_async_callback(part.stop)

        settings.state.mkdir(parents=True, exist_ok=True, mode=0o700)
        to_daemon, to_appliance = (service_token(settings, name) for name in (TO_DAEMON, TO_APPLIANCE))
        database = Database(settings.appliance_database_url)
        stack.push_async_callback(database.close)
        await database.migrate()

        live = Live(EVENTS)

        async def recorded(user_id: str) -> bool:
            return await accounts.recorded(user_id)

        journal = Journal(
            database,
            recorded,
            on_playing=lambda count: live.publish("playing", {"count": count}),
            keep_days=settings.log_days,
            is_read=settings.analytics == "on",
        )
        await started(journal)
        accounts = Accounts(settings, database, journal, tell=live.publish)
        await started(accounts)
        scan_news = ScanNews(live)
        feed: Feed | None = None

        def nobody_else_describes() -> bool:
            return settings.analytics == "off" or (feed is not None and feed.away > DAEMON_AWAY)

        library = Library(
            database,
            journal,
            settings.library,
            state=settings.state,
            rescan_seconds=settings.rescan_seconds,
            describe_all=nobody_else_describes,
            on_progress=scan_news.progress,
            on_scanned=scan_news.over,
        )
        await started(library)
        await started(News(library, live))
        publishing = Publishing(database, library, settings.scan_command)
        uploads = Uploads(
            database, library, publishing, limit=settings.upload_limit, free_space=settings.free_space
        )
        await started(uploads)
        subtitles = Subtitles(library, settings.state / "subtitles")

        def tell_waking(machine: Machine, waking: Waking) -> None:
            live.publish("device", power_routes.shown(machine, waking, Role.VIEWER))

        power = Power(database, lambda: interfaces(settings.interfaces), tell_waking, settings.timezone)
        await started(power)

        def served() -> tuple[Interface, ...]:
            return interfaces(settings.interfaces)

        announced: set[str] = set()
        mdns = Mdns(settings.name, settings.http_port, served, announced.add)
        await started(mdns)
        players = House(
            database,
            served,
            lambda: listener.port,
            mdns.zeroconf,
            trust_all=settings.tv_access == "open",
        )
        media_urls = MediaUrls(accounts.keys.derive, time.time)
        casting = Casting(
            database, library, journal, players, media_urls, power, subtitles,
            lambda player_id: live.publish("player", {"id": player_id}),
        )  # fmt: skip
        listener = LanListener(
            settings,
            database,
            library,
            journal,
            accounts.keys,
            subtitles,
            tell=live.publish,
            urls=media_urls,
            routes=cast_routes(players.events),
            table=LAN,
            around=lambda shelf: WithCasts(shelf, casting.grants, library, journal, subtitles),
            plays_counted=lambda: feed is not None and feed.reached,
        )
        players.described = listener.describe
        power.devices = lambda: [
            *(Seen(tv.mac, tv.address, tv.name) for tv in listener.tvs.all() if tv.mac),
            *(Seen(one.mac, one.address, one.shown_name) for one in players.all() if one.mac),
        ]
        await started(listener)
        await started(casting)
        accounts.on_lockdown.append(casting.end_all)

        daemon_url = f"http://127.0.0.1:{settings.analytics_port}" if settings.analytics == "on" else None
        reports = Reports(daemon_url, to_daemon)
        await started(reports)
        if daemon_url:
            feed = Feed(database, journal, daemon_url, to_daemon)
            await started(feed)

        async def follow(chosen: Settings) -> None:
            await accounts.let_guests_in(chosen.guest == "on")
            listener.tvs.open_to_all(chosen.tv_access == "open")
            players.trust_all = chosen.tv_access == "open"
            uploads.change_limits(chosen.upload_limit, chosen.free_space)
            journal.keep_days = chosen.log_days
            accounts.door_bell.ring("setting")

        choices = Choices(database, settings, set_by_environment(), follow)
        await started(choices)
        health = Health(database, library, choices, feed, reports, served, live.publish, scan_news)
        await started(health)

        async def check_file(file_id: str, caller: Caller) -> Any:
            return await library.file(file_id, caller.sees)

        async def describe(ids: list[str], caller: Caller) -> dict[str, dict[str, Any]]:
            return await library_routes.described(library, journal, ids, caller)

        async def find_files(text: str, caller: Caller) -> list[str]:
            found = await library.page(FileQuery(query=text, limit=MOST_FOUND), caller.sees)
            return [file.id for file in found.items]

        shares = Shares(database, accounts, library)

        async def device_names() -> dict[str, str]:
            tvs = {f"tv-{tv.id}": tv.name for tv in listener.tvs.all()}
            return await accounts.sessions.device_names() | tvs | await shares.titles()

        web_app = create_web_app(
            settings,
            accounts,
            [
                web_routes.blueprint(live, health),
                account_routes.blueprint(accounts),
                library_routes.blueprint(library, journal, Groups(database, library)),
                streaming_routes.blueprint(
                    library,
                    journal,
                    subtitles,
                    power=power,
                    copies=PhoneCopies(library, settings.phone_copies),
                ),
                upload_routes.blueprint(uploads, Known(library, uploads)),
                journal_routes.blueprint(journal, check_file, describe, find_files, device_names),
                power_routes.blueprint(power),
                share_routes.blueprint(shares, library, journal, subtitles),
                casting_routes.blueprint(casting, library),
                lan_routes.blueprint(listener.tvs),
                choices_routes.blueprint(choices),
                dashboard_routes.blueprint(reports, describe, check_file),
            ],
            announced=announced,
        )

        async def figures() -> str:
            playing, tasks = len(await journal.playing()), len(asyncio.all_tasks())
            report = await health.report()
            return as_text(samples(report, pages=live.listeners(), playing=playing, tasks=tasks))

        internal_app = create_internal_app(to_appliance, library, journal, figures, listener.network)
        yield Appliance(
            settings,
            accounts,
            library,
            journal,
            live,
            web_app,
            internal_app,
            web_socket,
            internal_socket,
            https_socket,
        )
        live.stop()


async def serve(settings: Settings, beside: Coroutine[Any, Any, None] | None = None) -> None:
    """Serve until SIGINT or SIGTERM. `beside` runs as long and is cancelled then."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(quiet_cancellation)
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with build(settings) as appliance, asyncio.TaskGroup() as tasks:
        others = [
            tasks.create_task(_pat_watchdog(), name="watchdog"),
            tasks.create_task(_give_memory_back(), name="memory"),
        ]
        if beside:
            others.append(tasks.create_task(beside, name="beside"))
        plain_app = appliance.web_app
        if appliance.https_socket is not None:
            used = appliance.settings
            assert used.tls_cert
            assert used.tls_key
            assert used.https_port is not None
            tls = (used.tls_cert, used.tls_key)
            if used.plain_http != "full":
                plain_app = create_trust_app(used, used.https_port)
            tasks.create_task(
                serve_until(appliance.web_app, appliance.https_socket, stop, tls), name="web over TLS"
            )
        tasks.create_task(serve_until(plain_app, appliance.web_socket, stop), name="web")
        tasks.create_task(
            serve_until(appliance.internal_app, appliance.internal_socket, stop), name="internal"
        )
        # The setup code is for the person at a terminal, and no line of the journal.
        if not is_journal(sys.stdout):
            print(welcome(appliance.settings, appliance.accounts.setup_code), flush=True)
        # What is here now stays: collections need not look through it whenever many come at once.
        gc.collect()
        gc.freeze()
        notify("READY=1")
        await stop.wait()
        notify("STOPPING=1")
        appliance.live.stop()
        for task in others:
            task.cancel()


async def _pat_watchdog() -> None:
    pause = watchdog_seconds()
    while pause:
        notify("WATCHDOG=1")
        await asyncio.sleep(pause)


async def _give_memory_back() -> None:
    """asyncio reads into 256 KiB at a time and gives most of it back at once, which leaves holes in the heap:
    of its 71 MB after 120,000 requests 39 were in use, no more than after 60,000. (Reading 64 KiB: of 60.)

    malloc_trim(3) gives them back, in one millisecond; glibc alone has it.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    while trim:
        await asyncio.sleep(TRIM_EACH)
        await asyncio.to_thread(trim, 0)
