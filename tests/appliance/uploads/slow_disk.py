"""`mantel serve` on a disk that takes SLOW_DISK_SPEED bytes a second."""

import os
import sys
import time

from appliance.__main__ import main

speed = float(os.environ.pop("SLOW_DISK_SPEED"))
really = os.pwrite


def slowly(fd: int, data: bytes, offset: int) -> int:
    time.sleep(len(data) / speed)
    return really(fd, data, offset)


os.pwrite = slowly  # type: ignore[assignment]
sys.argv = ["mantel", "serve"]
if __name__ == "__main__":
    main()
