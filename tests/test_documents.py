"""What docs/ says about the code is what the code says."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.documents import made_documents

MADE = made_documents()


@pytest.mark.parametrize("file", MADE, ids=lambda file: file.name)
def test_document_is_current(file: Path) -> None:
    assert file.read_text(encoding="utf-8") == MADE[file](), "run `.venv/bin/python -m tests.documents`"
