"""docs/performance.json, and the page and chart made from it."""

from __future__ import annotations

import html
import json
import statistics
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parents[2] / "docs"
TITLES = {
    "bytes": "Bytes",
    "tv": "TVs",
    "library": "The library",
    "search": "Search",
    "memory": "Memory",
    "page": "The page",
}
_HEAD = """# Performance

Mantel beside other servers on one machine, measured in turns: one round of each, then the next. A figure is
the median of all rounds; processor time is that of the whole process tree. Only ratios mean something
elsewhere. `make bench` measures again; this page and the chart are made from `performance.json`.

![Mantel beside its peers](performance.svg)
"""


def keep(record: dict[str, Any]) -> None:
    """Put one topic's record in the place of its last one, and write all files anew."""
    path = DOCS / "performance.json"
    records = json.loads(path.read_text())["topics"] if path.exists() else []
    records = [one for one in records if one["topic"] != record["topic"]] + [record]
    records.sort(key=lambda one: list(TITLES).index(one["topic"]) if one["topic"] in TITLES else 99)
    path.write_text(json.dumps({"topics": records}, indent=1) + "\n")
    (DOCS / "performance.md").write_text(page(records))
    (DOCS / "performance.svg").write_text(chart(records))


def medians(figure: dict[str, Any]) -> dict[str, float]:
    return {name: statistics.median(values) for name, values in figure["values"].items()}


def page(records: list[dict[str, Any]]) -> str:
    text = [_HEAD]
    for record in records:
        text.append(f"## {TITLES.get(record['topic'], record['topic'])}\n")
        versions = ", ".join(f"{name} {version}" for name, version in record["versions"].items())
        text.append(f"{record['date']}, {record['machine']}{versions and '; '}{versions}.\n")
        text += ["| | unit | program | median | lowest – highest | target |", "|---|---|---|---|---|---|"]
        for figure in record["figures"]:
            middle = medians(figure)
            title, unit = figure["title"], figure["unit"]
            for name, values in figure["values"].items():
                held = "; ".join(_held(middle, name, one) for one in figure["targets"].get(name, []))
                text.append(
                    f"| {title} | {unit} | {name} | {middle[name]:.4g} | "
                    f"{min(values):.4g} – {max(values):.4g} | {held} |"
                )
                title = unit = ""
        text.append("")
        notes = [f"{one['title']}: {one['note']}\n" for one in record["figures"] if one["note"]]
        text += dict.fromkeys(notes)  # a figure has the note of its title in each unit
    return "\n".join(text).rstrip() + "\n"


def _held(middle: dict[str, float], name: str, target: dict[str, Any]) -> str:
    peer, factor = target["peer"], target["factor"]
    if peer not in middle or not middle[peer]:
        return ""
    ratio = middle[name] / middle[peer]
    met = ratio <= factor if target["at_most"] else ratio >= factor
    words = "at most" if target["at_most"] else "at least"
    return f"{ratio:.2f} of {peer}, {words} {factor:g}: {'met' if met else '**missed**'}"


def chart(records: list[dict[str, Any]]) -> str:
    """Bars, one group a figure, each group to its own scale."""
    rows: list[str] = []
    y = 10
    for record in records:
        for figure in record["figures"]:
            middle = medians(figure)
            most = max(middle.values()) or 1
            y += 22
            label = html.escape(f"{figure['title']} ({figure['unit']})")
            rows.append(f'<text x="10" y="{y}" class="title">{label}</text>')
            for name, value in middle.items():
                y += 18
                own = "own" if name.startswith("Mantel") else "peer"
                width = max(1, 420 * value / most)
                rows.append(
                    f'<text x="150" y="{y}" class="name">{html.escape(name)}</text>'
                    f'<rect x="158" y="{y - 11}" width="{width:.0f}" height="13" rx="2" class="{own}"/>'
                    f'<text x="{164 + width:.0f}" y="{y}">{value:.4g}</text>'
                )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 680 {y + 20}" width="680" height="{y + 20}" '
        'font-family="system-ui, sans-serif" font-size="12">'
        "<style>text{fill:#333}.title{font-weight:600}.name{text-anchor:end}.own{fill:#b4552d}.peer{fill:#9aa5a0}"
        "@media(prefers-color-scheme:dark){text{fill:#ddd}}</style>" + "".join(rows) + "</svg>\n"
    )
