"""Names that say nothing are refused, and so is what is generated."""

import ast
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EMPTY_WORDS = ("Manager", "Helper", "Util", "Utils", "Service", "Impl", "Info")
LONGEST_MODULE = 400
"""Lines. A longer module is more than one thing."""


def modules() -> list[Path]:
    return sorted(
        p for package in ("appliance", "dlna") for p in (ROOT / package).rglob("*.py") if "ui" not in p.parts
    )


@pytest.mark.parametrize("module", modules(), ids=lambda p: str(p.relative_to(ROOT)))
def test_no_class_hides_behind_an_empty_word(module: Path) -> None:
    tree = ast.parse(module.read_text(encoding="utf-8"))
    classes = [node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    assert not [name for name in classes if name.endswith(EMPTY_WORDS)]


@pytest.mark.parametrize("module", modules(), ids=lambda p: str(p.relative_to(ROOT)))
def test_every_module_says_what_it_is(module: Path) -> None:
    text = module.read_text(encoding="utf-8")
    if text.strip():
        assert ast.get_docstring(ast.parse(text)), f"{module} begins without a docstring"


def test_no_module_is_longer_than_one_thing() -> None:
    long = {
        str(p.relative_to(ROOT)): n
        for p in modules()
        if (n := len(p.read_text().splitlines())) > LONGEST_MODULE
    }
    assert not long


def test_nothing_generated_is_committed() -> None:
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split("\n")
    binary = (".png", ".jpg", ".mp4", ".mp3", ".jar", ".whl", ".class", ".so", ".woff2")
    assert not [f for f in tracked if f.endswith(binary) and not f.startswith("docs/")]
