"""Every feature's tables, imported so that `metadata` is whole."""

from appliance.database import metadata

__all__ = ["metadata"]
