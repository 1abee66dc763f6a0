"""Mantel: the appliance. Start reading at `wiring.py`; the map is docs/architecture.md."""
