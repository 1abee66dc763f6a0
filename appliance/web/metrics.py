"""Figures for Prometheus, in its text format 0.0.4: numbers about the box, no name of a person or file."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterable, Mapping
from typing import Any

Sample = tuple[str, str, str, Mapping[str, str], float]
"""Name, type, help, labels, value."""

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def samples(report: Mapping[str, Any], *, pages: int, playing: int, tasks: int) -> list[Sample]:
    """From `Health.report`; `pages` that listen, `playing`: files that play now, `tasks` of its loop."""
    found: list[Sample] = [
        ("mantel_info", "gauge", "The version that runs.", {"version": report["versions"]["mantel"]}, 1),
        ("mantel_problems", "gauge", "Faults that an admin's page shows.", {}, len(report["problems"])),
        ("mantel_files", "gauge", "Files in the library.", {}, report["scan"]["files"]),
        (
            "mantel_files_undescribed",
            "gauge",
            "Files not described yet.",
            {},
            report["scan"]["undescribed"],
        ),
        ("mantel_scan_running", "gauge", "A full look at the folders runs.", {}, report["scan"]["running"]),
        ("mantel_daemon_reached", "gauge", "The analytics daemon answers.", {}, report["daemon"]["reached"]),
        ("mantel_events_waiting", "gauge", "Events it has not read.", {}, report["daemon"]["waiting"]),
        ("mantel_pages", "gauge", "Open pages.", {}, pages),
        ("mantel_playing", "gauge", "Files that play now.", {}, playing),
        ("mantel_tasks", "gauge", "What goes on side by side in the server.", {}, tasks),
        ("process_open_fds", "gauge", "Open file descriptors.", {}, len(os.listdir("/proc/self/fd"))),
        ("process_cpu_seconds_total", "counter", "Processor time.", {}, _processor_seconds()),
        ("process_resident_memory_bytes", "gauge", "Memory in use.", {}, _resident()),
    ]
    if report["database"]["bytes"] is not None:
        found.append(("mantel_database_bytes", "gauge", "The database.", {}, report["database"]["bytes"]))
    for number, root in enumerate(report["roots"]):
        label = {"root": str(number)}
        found.append(("mantel_root_online", "gauge", "The library folder is there.", label, root["online"]))
        for name in ("free", "total"):
            if (size := root[f"{name}_bytes"]) is not None:
                found.append((f"mantel_root_{name}_bytes", "gauge", f"Bytes {name} there.", label, size))
    return found


def _processor_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _resident() -> int:
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def as_text(found: Iterable[Sample]) -> str:
    """Samples of a name together, each name with its type and help once."""
    by_name: dict[str, list[Sample]] = {}
    for sample in found:
        by_name.setdefault(sample[0], []).append(sample)
    lines = []
    for name, ones in by_name.items():
        lines += [f"# HELP {name} {ones[0][2]}", f"# TYPE {name} {ones[0][1]}"]
        for _, _, _, labels, value in ones:
            inside = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels.items())
            lines.append(f"{name}{{{inside}}} {_number(value)}" if inside else f"{name} {_number(value)}")
    return "\n".join(lines) + "\n"


def _number(value: float) -> str:
    return str(int(value)) if float(value).is_integer() else repr(float(value))


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
