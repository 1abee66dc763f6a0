"""For schemathesis: ids that exist, two times of three, so that requests get past the first look."""

from __future__ import annotations

import json
import os
from typing import Any

import schemathesis

IDS: dict[str, str] = json.loads(os.environ.get("KNOWN_IDS", "{}"))
_turn = 0


@schemathesis.hook
def map_path_parameters(context: Any, path_parameters: dict[str, Any] | None) -> dict[str, Any] | None:
    global _turn
    _turn += 1
    # What is deleted is there for nobody else.
    if path_parameters and _turn % 3 and context.operation.method.lower() != "delete":
        return {name: IDS.get(name, value) for name, value in path_parameters.items()}
    return path_parameters
