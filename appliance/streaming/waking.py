"""What somebody is told who opens a file on a machine that sleeps, and that it wakes."""

from __future__ import annotations

from appliance.accounts.caller import Caller, Role
from appliance.errors import Unavailable
from appliance.library.roots import RootAway
from appliance.power.power import Power


async def waking(power: Power | None, away: RootAway, caller: Caller) -> Unavailable:
    """What to raise; the machine that the folder lies on is woken. Guests wake nothing."""
    machine = await power.wake_for_root(str(away.path)) if power and caller.may(Role.VIEWER) else None
    if machine is None:
        return away
    return Unavailable(away.what, f"{machine.name} was asleep and is waking. Try again in a minute.")
