"""Ansible run as its user would: from another machine of the house, by ssh, as root of the target."""

from __future__ import annotations

import json
import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.netns import Host
from tests.provisioning.machine import Machine

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Run:
    """What one run of a playbook came to."""

    code: int
    output: str

    @property
    def recap(self) -> dict[str, int]:
        """ok, changed, unreachable, failed, skipped, rescued, ignored of the one host."""
        counts = re.findall(r"(\w+)=(\d+)", self.output.partition("PLAY RECAP")[2])
        return {name: int(number) for name, number in counts}

    @property
    def changed(self) -> list[str]:
        """Names of the tasks that changed something."""
        tasks = re.split(r"^(?:TASK|RUNNING HANDLER) \[(.*?)\] \**$", self.output, flags=re.MULTILINE)[1:]
        return [name for name, told in zip(tasks[::2], tasks[1::2], strict=True) if "changed: [" in told]


def play(name: str, machine: Machine, ctl: Host, *options: str, **variables: Any) -> Run:
    """Runs ansible/<name>.yml against `machine` from `ctl`; a failing run is returned, not raised."""
    folder = machine.key.parent
    environment = {
        "PATH": f"{sys.prefix}/bin:{os.environ['PATH']}",
        "HOME": str(folder),
        "LC_ALL": "C.UTF-8",
        "ANSIBLE_HOME": str(folder / "ansible"),
        "ANSIBLE_HOST_KEY_CHECKING": "False",
        "ANSIBLE_PIPELINING": "True",
        "ANSIBLE_NOCOLOR": "True",
        "ANSIBLE_SSH_ARGS": "-o ControlMaster=auto -o ControlPersist=5s -o UserKnownHostsFile=/dev/null",
        "ANSIBLE_PRIVATE_KEY_FILE": str(machine.key),
        "ANSIBLE_REMOTE_USER": "root",
    }
    done = ctl.run(
        *(f"{sys.prefix}/bin/ansible-playbook", "-i", f"{machine.address},", ROOT / f"ansible/{name}.yml"),
        *("-e", json.dumps(variables), *options),
        check=False,
        timeout=900,
        env=environment,
        cwd=ROOT,
    )
    return Run(done.returncode, done.stdout + done.stderr)
