"""Renderers: finding them, and playing on one. The control-point side of UPnP AV."""
