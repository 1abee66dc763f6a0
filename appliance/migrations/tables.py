"""Every feature's tables, imported so that `metadata` is whole."""

import appliance.accounts.tables
import appliance.casting.tables
import appliance.choices.tables
import appliance.journal.tables
import appliance.lan.tables
import appliance.library.tables
import appliance.power.tables
import appliance.sharing.tables
import appliance.uploads.tables
from appliance.database import metadata

__all__ = ["appliance", "metadata"]
