"""The playbook's own house rules, checked without a machine."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
ROLE = ROOT / "ansible/roles/mantel"


def read(path: str) -> Any:
    return yaml.safe_load((ROLE / path).read_text())


def test_the_linter_has_no_complaint(tmp_path: Path) -> None:
    done = subprocess.run(
        [f"{sys.prefix}/bin/ansible-lint", "--offline", "--nocolor", "--profile", "production", "ansible"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env=os.environ | {"PATH": f"{sys.prefix}/bin:{os.environ['PATH']}", "ANSIBLE_HOME": str(tmp_path)},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "it passed" in done.stderr


def test_each_variable_is_declared_with_type_meaning_and_default() -> None:
    declared = read("meta/argument_specs.yml")["argument_specs"]["main"]["options"]
    defaults = read("defaults/main.yml")
    for name, option in declared.items():
        assert {"type", "description"} <= option.keys(), name
        assert option.get("default") == defaults.get(name), f"{name}: two defaults"
        assert ("default" in option) == (name in defaults), name
    assert declared.keys() >= defaults.keys()


def test_each_variable_of_the_role_is_declared_somewhere() -> None:
    declared = {*read("meta/argument_specs.yml")["argument_specs"]["main"]["options"], *read("vars/main.yml")}
    text = "\n".join(f.read_text() for f in ROLE.rglob("*") if f.is_file())
    registered = set(re.findall(r"register: (mantel_\w+)", text))
    local = set(re.findall(r"^\s+(mantel_\w+):\s", text, re.MULTILINE))
    used = set(re.findall(r"\b(mantel_\w+)\b", text)) - {"mantel_enabled"}
    assert used <= declared | registered | local


def test_the_table_of_contents_names_every_file() -> None:
    main = (ROLE / "tasks/main.yml").read_text()
    rest = "\n".join(f.read_text() for f in (*ROLE.glob("tasks/*.yml"), ROOT / "ansible/uninstall.yml"))
    for file in ROLE.glob("tasks/*.yml"):
        if file.name != "main.yml":
            assert f"import_tasks: {file.name}" in main or re.search(
                rf"(include_tasks: {file.name}|tasks_from: {file.stem})", rest
            ), file.name


@pytest.mark.parametrize("python", ["3.11", "3.13"])
@pytest.mark.parametrize("machine", ["aarch64", "x86_64"])
def test_every_dependency_has_a_wheel(python: str, machine: str, tmp_path: Path) -> None:
    """For Debian 12 (glibc 2.36) and newer; asks the package index, downloads nothing but metadata."""
    done = subprocess.run(
        [
            *(f"{sys.prefix}/bin/uv", "pip", "install", "--dry-run", "--only-binary", ":all:", "--no-config"),
            *("--require-hashes", "--target", tmp_path, "-r", ROOT / "requirements.lock"),
            *("--python-version", python, "--python-platform", f"{machine}-manylinux_2_28"),
        ],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert re.search(r"Would install \d\d packages", done.stderr), done.stderr
