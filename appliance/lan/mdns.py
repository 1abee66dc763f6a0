"""Multicast DNS: the page's address as `_http._tcp`, and `<name>.local` for people who type.

Rules:
1. A name is asked for before it is taken (RFC 6762 §8.1); where it is taken, `name-2`, `name-3` … is tried.
2. Two that took a name at the same moment meet later: the one with the lower address keeps it (§8.2).
3. Records name the addresses of served interfaces only, and follow them.
4. Casting looks for Cast devices through the same sockets: `zeroconf`.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
import unicodedata
from collections.abc import Callable, Sequence
from ipaddress import IPv4Address

from zeroconf import (  # type: ignore[attr-defined]
    AddressResolverIPv4,
    DNSAddress,
    InterfaceChoice,
    IPVersion,
    NonUniqueNameException,
    ServiceInfo,
)
from zeroconf.asyncio import AsyncZeroconf

from dlna.interfaces import Interface

log = logging.getLogger(__name__)

SERVICE = "_http._tcp.local."
TRIES = 30
"""Names that are tried; more appliances than this on one network is a mistake."""
ASK_FOR = 800
"""Milliseconds that others have to say "that is me": three probes of 250 ms (RFC 6762 §8.1)."""
LOOK_EVERY = 5.0
"""Seconds between looks at the interfaces, and at who else uses the name."""
TYPE_A, CLASS_IN = 1, 1
"""RFC 1035 §3.2"""


def host_label(name: str) -> str:
    """A name as one label of a host name (RFC 1123 §2.1): `Öl & Gas` becomes `ol-gas`."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain)[:48].strip("-") or "mantel"


class Mdns:
    """`name` is MANTEL_NAME, `port` the page's; `on_named(host)` is told each name that is taken."""

    def __init__(
        self,
        name: str,
        port: int,
        interfaces: Callable[[], Sequence[Interface]],
        on_named: Callable[[str], None] = lambda host: None,
    ) -> None:
        self._name, self._port, self._interfaces = name, port, interfaces
        self._on_named = on_named
        self._number = 1
        self._info: ServiceInfo | None = None
        self._task: asyncio.Task[None] | None = None
        self._current: list[str] = []
        self.zeroconf: AsyncZeroconf | None = None
        """None where the sockets could not be opened."""

    @property
    def host(self) -> str | None:
        """`mantel.local`, as it is announced now; None until then."""
        return self._info.server.rstrip(".") if self._info and self._info.server else None

    async def start(self) -> None:
        """Opens the sockets; asking for the name goes on in the background."""
        self._current = self._addresses()
        choice = self._current or InterfaceChoice.Default
        try:
            self.zeroconf = AsyncZeroconf(interfaces=choice, ip_version=IPVersion.V4Only)
        except OSError as error:
            log.error(
                "mDNS cannot listen on port 5353; no name is announced, no Cast device found: %s", error
            )
            return
        self._task = asyncio.create_task(self._keep(self.zeroconf), name="mdns")

    async def stop(self) -> None:
        """Says goodbye, so that nobody keeps the name."""
        if self._task:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        if self.zeroconf:
            with contextlib.suppress(OSError):
                await self.zeroconf.async_close()

    def _addresses(self) -> list[str]:
        return [str(i.address) for i in self._interfaces()]

    async def _keep(self, mdns: AsyncZeroconf) -> None:
        while True:
            try:
                await self._follow_interfaces(mdns)
                if self._info is None and self._current:
                    await self._take_name(mdns)
                elif self._info and self._loses(mdns):
                    await self._give_up_name(mdns)
                    continue
            except (OSError, NonUniqueNameException) as error:
                log.warning("The name could not be announced on the network: %s", error)
            await asyncio.sleep(LOOK_EVERY)

    async def _follow_interfaces(self, mdns: AsyncZeroconf) -> None:
        now = self._addresses()
        if now == self._current:
            return
        self._current = now
        await mdns.async_update_interfaces(now or InterfaceChoice.Default)
        if self._info:
            await mdns.async_unregister_service(self._info)
            self._info = None

    async def _take_name(self, mdns: AsyncZeroconf) -> None:
        first = self._number
        for number in range(first, first + TRIES):
            label, shown = host_label(self._name), self._name.replace(".", " ")[:48]
            if number > 1:
                label, shown = f"{label}-{number}", f"{shown} ({number})"
            host = f"{label}.local."
            if await self._is_taken(mdns, host):
                continue
            info = ServiceInfo(
                SERVICE,
                f"{shown}.{SERVICE}",
                port=self._port,
                parsed_addresses=self._current,
                server=host,
                properties={"path": "/"},
            )
            try:
                await (await mdns.async_register_service(info, strict=False))
            except NonUniqueNameException:
                continue
            self._number, self._info = number, info
            if self._loses(mdns):
                # Somebody took it while we did.
                await self._give_up_name(mdns)
                return await self._take_name(mdns)
            log.info("The page is at http://%s:%d on this network", host.rstrip("."), self._port)
            self._on_named(host.rstrip("."))
            return
        log.error("All names from %s on are taken on this network", host_label(self._name))

    async def _is_taken(self, mdns: AsyncZeroconf, host: str) -> bool:
        resolver = AddressResolverIPv4(host)
        await resolver.async_request(mdns.zeroconf, ASK_FOR)
        return bool(set(resolver.parsed_addresses()) - set(self._current))

    def _loses(self, mdns: AsyncZeroconf) -> bool:
        """Whether somebody with a lower address uses our host name too."""
        assert self._info
        assert self._info.server
        records = mdns.zeroconf.cache.get_all_by_details(self._info.server, TYPE_A, CLASS_IN)
        others = {
            IPv4Address(r.address) for r in records if isinstance(r, DNSAddress) and len(r.address) == 4
        } - {IPv4Address(a) for a in self._current}
        return bool(others) and min(others) < min(IPv4Address(a) for a in self._current)

    async def _give_up_name(self, mdns: AsyncZeroconf) -> None:
        assert self._info
        log.warning("Another machine is called %s too; taking the next name", self._info.server)
        await (await mdns.async_unregister_service(self._info))
        self._info = None
        self._number += 1
