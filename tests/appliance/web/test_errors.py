"""Errors that nobody foresaw, as answers."""

from __future__ import annotations

import errno
import os

import pytest

from appliance.web.errors import answer


@pytest.mark.parametrize("code", [errno.EIO, errno.ESTALE, errno.ENODEV, errno.ENOTDIR])
async def test_a_disk_that_went_in_the_middle_is_away_and_no_mistake_of_ours(
    code: int, caplog: pytest.LogCaptureFixture
) -> None:
    said = answer(OSError(code, os.strerror(code), "/srv/media/secret name"))
    assert said.status_code == 503
    body = await said.get_json()
    assert body["type"] == "urn:mantel:problem:unavailable"
    assert os.strerror(code) in body["detail"]
    assert "secret name" not in body["detail"] + caplog.text
    assert "Traceback" not in caplog.text


async def test_any_other_error_is_ours_and_tells_nothing(caplog: pytest.LogCaptureFixture) -> None:
    for error in (OSError(errno.EBADF, "Bad file descriptor"), ValueError("the pepper is 1234")):
        said = answer(error)
        assert said.status_code == 500
        assert "1234" not in str(await said.get_json())
    assert "ValueError" in caplog.text
