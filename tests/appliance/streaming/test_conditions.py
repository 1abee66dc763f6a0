"""Conditional requests, RFC 9110 §13."""

from email.utils import formatdate

import pytest
from werkzeug.datastructures import Headers

from appliance.streaming.conditions import Verdict, judge

ETAG = '"5-17a"'
MODIFIED = 1_764_000_000
AT = formatdate(MODIFIED, usegmt=True)
BEFORE = formatdate(MODIFIED - 1, usegmt=True)
AFTER = formatdate(MODIFIED + 1, usegmt=True)


@pytest.mark.parametrize(
    ("headers", "verdict"),
    [
        ({}, Verdict.SEND),
        ({"If-None-Match": ETAG}, Verdict.NOT_MODIFIED),
        ({"If-None-Match": "W/" + ETAG}, Verdict.NOT_MODIFIED),  # weak comparison
        ({"If-None-Match": f'"a", {ETAG}'}, Verdict.NOT_MODIFIED),
        ({"If-None-Match": "*"}, Verdict.NOT_MODIFIED),
        ({"If-None-Match": '"a,b"'}, Verdict.SEND),
        ({"If-None-Match": '"a"', "If-Modified-Since": AFTER}, Verdict.SEND),  # the tag decides
        ({"If-Modified-Since": AT}, Verdict.NOT_MODIFIED),
        ({"If-Modified-Since": BEFORE}, Verdict.SEND),
        ({"If-Modified-Since": "no date"}, Verdict.SEND),
        ({"If-Match": ETAG}, Verdict.SEND),
        ({"If-Match": "*"}, Verdict.SEND),
        ({"If-Match": "W/" + ETAG}, Verdict.FAILED),  # strong comparison
        ({"If-Match": '"a"'}, Verdict.FAILED),
        ({"If-Match": '"a"', "If-None-Match": ETAG}, Verdict.FAILED),
        ({"If-Unmodified-Since": BEFORE}, Verdict.FAILED),
        ({"If-Unmodified-Since": AT}, Verdict.SEND),
        ({"If-Match": ETAG, "If-Unmodified-Since": BEFORE}, Verdict.SEND),
    ],
)
def test_table(headers: dict[str, str], verdict: Verdict) -> None:
    assert judge(Headers(headers), ETAG, MODIFIED) is verdict
