"""`mantel wake NAME`: a machine is woken from the command line, also while the appliance runs."""

from __future__ import annotations

from collections.abc import Callable

from appliance.database import Database
from appliance.errors import NotFound
from appliance.power.power import Power, State
from appliance.settings import Settings
from dlna.interfaces import interfaces


async def wake(settings: Settings, name: str, say: Callable[[str], None] = print, watch: bool = True) -> bool:
    """Wake the machine of that name or MAC and tell how it went; whether it answered (or was only asked).

    Raises NotFound, which names those that there are; TooMany; Unavailable.
    """
    database = Database(settings.appliance_database_url)
    power = Power(database, lambda: interfaces(settings.interfaces))
    try:
        await database.migrate()
        try:
            machine = await power.named(name)
        except NotFound:
            known = ", ".join(m.name for m in await power.machines()) or "none yet; add one on the page"
            say(f"Known machines: {known}")
            raise
        waking = await power.wake(machine.id)
        say(f"Asked {machine.name} to wake, by {', '.join(waking.interfaces)}.")
        if not watch:
            return True
        waking = await power.until_awake(machine.id)
        if waking.state is State.AWAKE:
            say(f"{machine.name} is awake: it answered after {waking.took:.0f} s ({waking.answered}).")
            return True
        say(
            f"{machine.name} did not answer within {waking.took:.0f} s. "
            "Is wake-on-LAN on in its firmware and its network card, and is it wired?"
        )
        return False
    finally:
        await power.stop()
        await database.close()
