"""A library's folder, as for the library's own tests."""

from tests.appliance.library.conftest import root

__all__ = ["root"]
