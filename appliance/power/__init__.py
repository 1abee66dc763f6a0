"""Machines to wake."""
