"""The journal is told from a terminal or a file by the stream itself, not by the environment alone."""

import os
import sys
from pathlib import Path

import pytest

from appliance.logs import is_journal


def test_only_the_stream_that_systemd_named_is_the_journal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open(tmp_path / "journal", "w") as journal, open(tmp_path / "other", "w") as other:
        found = os.fstat(journal.fileno())
        monkeypatch.setenv("JOURNAL_STREAM", f"{found.st_dev}:{found.st_ino}")
        assert is_journal(journal)
        assert not is_journal(other)
        monkeypatch.delenv("JOURNAL_STREAM")
        assert not is_journal(journal)
    assert not is_journal(sys.stdin)
