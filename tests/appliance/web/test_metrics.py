"""Figures for Prometheus, read back as its text format says (version 0.0.4)."""

from __future__ import annotations

import re

from appliance.web.metrics import as_text, samples

REPORT = {
    "versions": {"mantel": '1.0"\n\\'},
    "problems": [{}, {}],
    "scan": {"files": 7, "undescribed": 3, "running": True},
    "daemon": {"reached": False, "waiting": 12},
    "database": {"bytes": 4096},
    "roots": [
        {"online": True, "free_bytes": 10, "total_bytes": 20, "path": "/srv/secret"},
        {"online": False, "free_bytes": None, "total_bytes": None, "path": "/srv/other"},
    ],
}
LINE = re.compile(r'[a-z_]+(\{[a-z]+="(?:[^"\\\n]|\\.)*"\})? -?[0-9.e+-]+')


def test_every_line_is_a_sample_or_says_what_one_is() -> None:
    text = as_text(samples(REPORT, pages=2, playing=1, tasks=7))
    names = set()
    for line in text.removesuffix("\n").split("\n"):
        if line.startswith("#"):
            assert re.fullmatch(r"# (HELP [a-z_]+ .+|TYPE [a-z_]+ (gauge|counter))", line)
        else:
            assert LINE.fullmatch(line), line
            names.add(re.split(r"[{ ]", line)[0])
    assert set(re.findall(r"# TYPE (\S+)", text)) == names
    assert 'mantel_root_online{root="1"} 0' in text
    assert "mantel_events_waiting 12" in text
    assert "process_resident_memory_bytes" in names
    assert "/srv" not in text
