"""Who may what: one table for each route, live event and field. What is not in it is refused.

`guard.py` checks routes and `fields.py` fields; a new one needs its line here in the same commit: tests
walk both.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final, Literal

from appliance.accounts.caller import Role
from appliance.units import MIB

Least = Role | Literal["link"] | None

PUBLIC: Final = None
"""Nobody need be signed in."""
LINK: Final = "link"
"""Whoever opened that link on this browser, signed in or not: the route asks for the link's cookie."""
GUEST, VIEWER, EDITOR, ADMIN = Role.GUEST, Role.VIEWER, Role.EDITOR, Role.ADMIN

ACCESS: dict[tuple[str, str], Least] = {
    # web
    ("GET", "/healthz"): PUBLIC,
    ("GET", "/openapi.json"): PUBLIC,
    ("GET", "/events/live"): GUEST,
    ("GET", "/health"): ADMIN,
    # accounts
    ("POST", "/auth/login"): PUBLIC,
    ("POST", "/auth/refresh"): PUBLIC,
    ("POST", "/auth/setup"): PUBLIC,
    ("GET", "/auth/setup"): PUBLIC,
    ("POST", "/auth/guest"): PUBLIC,
    ("POST", "/auth/logout"): PUBLIC,
    ("GET", "/auth/me"): GUEST,
    ("PATCH", "/auth/me"): VIEWER,
    ("GET", "/sessions"): GUEST,
    ("DELETE", "/sessions/<session_id>"): GUEST,
    ("GET", "/users"): ADMIN,
    ("POST", "/users"): ADMIN,
    ("PATCH", "/users/<user_id>"): ADMIN,
    ("DELETE", "/users/<user_id>"): ADMIN,
    ("POST", "/lockdown"): ADMIN,
    # choices
    ("GET", "/settings"): ADMIN,
    ("PATCH", "/settings"): ADMIN,
    ("POST", "/auth/pair"): VIEWER,
    ("GET", "/auth/pair"): ADMIN,
    ("GET", "/auth/pair/<pairing_id>"): VIEWER,
    ("POST", "/auth/pair/<pairing_id>/confirm"): VIEWER,
    ("DELETE", "/auth/pair/<pairing_id>"): VIEWER,
    ("POST", "/auth/pair/<pairing_id>/claim"): PUBLIC,
    ("POST", "/auth/pair/<pairing_id>/finish"): PUBLIC,
    # library
    ("GET", "/files"): GUEST,
    ("GET", "/files/<file_id>"): GUEST,
    ("PATCH", "/files/<file_id>"): EDITOR,
    ("DELETE", "/files/<file_id>"): EDITOR,
    ("GET", "/files/<file_id>/thumbnail"): GUEST,
    ("GET", "/trash"): EDITOR,
    ("POST", "/files/<file_id>/restore"): EDITOR,
    ("GET", "/roots"): EDITOR,
    ("GET", "/folders"): GUEST,
    ("GET", "/folders/<folder_id>"): GUEST,
    ("PATCH", "/folders/<folder_id>"): ADMIN,
    ("GET", "/albums"): GUEST,
    ("GET", "/months"): GUEST,
    ("GET", "/tags"): GUEST,
    # uploads
    #
    # casting
    ("GET", "/players"): VIEWER,
    ("GET", "/players/<player_id>"): VIEWER,
    ("POST", "/players/search"): VIEWER,
    ("POST", "/players/<player_id>/play"): VIEWER,
    ("POST", "/players/<player_id>/queue"): VIEWER,
    ("POST", "/players/<player_id>/pause"): VIEWER,
    ("POST", "/players/<player_id>/resume"): VIEWER,
    ("POST", "/players/<player_id>/stop"): VIEWER,
    ("POST", "/players/<player_id>/next"): VIEWER,
    ("POST", "/players/<player_id>/previous"): VIEWER,
    ("POST", "/players/<player_id>/seek"): VIEWER,
    ("POST", "/players/<player_id>/volume"): VIEWER,
    ("POST", "/players/<player_id>/repeat"): VIEWER,
    ("PATCH", "/players/<player_id>"): ADMIN,
    ("DELETE", "/players/<player_id>"): ADMIN,
    # power
    ("GET", "/devices"): VIEWER,
    ("GET", "/devices/seen"): ADMIN,
    ("POST", "/devices"): ADMIN,
    ("PATCH", "/devices/<device_id>"): ADMIN,
    ("DELETE", "/devices/<device_id>"): ADMIN,
    ("POST", "/devices/<device_id>/wake"): VIEWER,
    # lan
    ("GET", "/tvs"): ADMIN,
    ("POST", "/tvs/allow"): ADMIN,
    ("PATCH", "/tvs/<tv_id>"): ADMIN,
    ("DELETE", "/tvs/<tv_id>"): ADMIN,
    #
    # sharing
    ("POST", "/shares"): EDITOR,
    ("GET", "/shares"): EDITOR,
    ("GET", "/shares/<share_id>"): EDITOR,
    ("DELETE", "/shares/<share_id>"): EDITOR,
    ("GET", "/s/<token>/about"): PUBLIC,
    ("POST", "/s/<token>/open"): PUBLIC,
    ("GET", "/s/<token>/files"): LINK,
    ("GET", "/s/<token>/files/<file_id>/stream"): LINK,
    ("GET", "/s/<token>/files/<file_id>/download"): LINK,
    ("GET", "/s/<token>/files/<file_id>/thumbnail"): LINK,
    ("GET", "/s/<token>/files/<file_id>/subtitles"): LINK,
    ("GET", "/s/<token>/files/<file_id>/subtitles/<int:number>.vtt"): LINK,
    ("GET", "/s/<token>/zip"): LINK,
    #
    # streaming
    ("GET", "/files/<file_id>/stream"): GUEST,
    ("GET", "/files/<file_id>/download"): VIEWER,
    ("GET", "/files/<file_id>/remux"): GUEST,
    ("GET", "/files/<file_id>/phone"): GUEST,
    ("GET", "/files/<file_id>/subtitles"): GUEST,
    ("GET", "/files/<file_id>/chapters"): GUEST,
    ("GET", "/files/<file_id>/frame"): GUEST,
    ("GET", "/files/<file_id>/exif"): GUEST,
    ("GET", "/files/<file_id>/subtitles/<int:number>.vtt"): GUEST,
    # uploads
    ("POST", "/files/upload"): EDITOR,
    ("POST", "/uploads/known"): EDITOR,
    ("OPTIONS", "/files/tus"): EDITOR,
    ("POST", "/files/tus"): EDITOR,
    ("GET", "/files/tus/<upload_id>"): EDITOR,
    ("PATCH", "/files/tus/<upload_id>"): EDITOR,
    ("DELETE", "/files/tus/<upload_id>"): EDITOR,
    ("POST", "/files/tus/<upload_id>"): EDITOR,
    # journal
    ("POST", "/events"): GUEST,
    ("PUT", "/files/<file_id>/position"): VIEWER,
    ("GET", "/files/<file_id>/position"): VIEWER,
    ("PUT", "/files/<file_id>/favourite"): VIEWER,
    ("GET", "/log"): ADMIN,
    ("GET", "/playing"): ADMIN,
    ("GET", "/me/log"): VIEWER,
    ("GET", "/me/continue"): VIEWER,
    ("GET", "/me/favourites"): VIEWER,
    # dashboard
    ("GET", "/api/analytics/popular"): GUEST,
    ("GET", "/api/analytics/heatmap"): GUEST,
    ("GET", "/api/analytics/users/engagement"): VIEWER,
    ("GET", "/api/analytics/storage/summary"): ADMIN,
    ("GET", "/api/analytics/search-insights"): ADMIN,
    ("GET", "/api/analytics/insights"): ADMIN,
    ("GET", "/api/analytics/most-replayed"): ADMIN,
    ("GET", "/api/analytics/jobs"): ADMIN,
    ("GET", "/api/stats"): ADMIN,
}
"""(method, rule as the route states it) → least role. HEAD goes with GET."""

JSON: Final = "application/json"
ANY: Final = "*/*"
"""No body is expected; some HTTP clients name a type all the same."""
LARGEST_JSON = 1 * MIB
"""Bytes of a JSON body; who takes other bodies limits them."""

BODIES: dict[tuple[str, str], str] = {
    ("POST", "/files/upload"): "multipart/form-data",
    ("POST", "/files/tus"): ANY,
    ("PATCH", "/files/tus/<upload_id>"): "application/offset+octet-stream",
    ("POST", "/files/tus/<upload_id>"): "application/offset+octet-stream",
}
"""Routes that take another body than application/json: (method, rule) → its media type."""

EVENTS: dict[str, Role] = {
    "gap": GUEST,
    "library": GUEST,
    "scan": VIEWER,
    "upload": EDITOR,
    "player": VIEWER,
    "device": VIEWER,
    "playing": ADMIN,
    "tv": ADMIN,
    "door": ADMIN,
    "pairing": VIEWER,
    "health": ADMIN,
}
"""Live event → least role; whoever publishes may ask for more."""


class OnLan(StrEnum):
    """Whom port 8200 answers. No cookie, bearer or role counts there; foreign Hosts and networks never do."""

    NEAR = "any device on the network"
    TV = "an allowed TV; one that asks meets its code and nothing else, a blocked one nothing"
    SIGNED = "who has the signed address, as long as the TV or the showing that it was made for may"
    OURS = "who subscribed, or whom we subscribed to, from that address"


LAN: dict[tuple[str, str], OnLan] = {
    ("GET", "/description.xml"): OnLan.NEAR,
    ("GET", "/scpd/{service}.xml"): OnLan.NEAR,
    ("GET", "/icons/{name}"): OnLan.NEAR,
    ("POST", "/control/{service}"): OnLan.TV,
    ("SUBSCRIBE", "/events/{service}"): OnLan.NEAR,
    ("UNSUBSCRIBE", "/events/{service}"): OnLan.OURS,
    ("GET", "/m/{token}/{name}"): OnLan.SIGNED,
    ("OPTIONS", "/m/{token}/{name}"): OnLan.SIGNED,
    ("NOTIFY", "/cast/events/{word}"): OnLan.OURS,
}
"""Port 8200: (method, rule) → whom it answers. HEAD goes with GET. What is not here is 404."""


class OnInternal(StrEnum):
    """Whom port 8001 answers, on 127.0.0.1 and by that name alone."""

    DAEMON = "the daemon's own token"
    HERE = "any program of this machine: figures without names"


INTERNAL: dict[tuple[str, str], OnInternal] = {
    ("POST", "/internal/hooks/library-changed"): OnInternal.DAEMON,
    ("POST", "/internal/hooks/file-analyzed"): OnInternal.DAEMON,
    ("POST", "/internal/hooks/popularity"): OnInternal.DAEMON,
    ("GET", "/internal/network"): OnInternal.DAEMON,
    ("GET", "/metrics"): OnInternal.HERE,
}
"""Port 8001: (method, rule) → whom it answers. What is not here is 404."""


def _each(least: Least, names: str) -> dict[str, Least]:
    return dict.fromkeys(names.split(), least)


FIELDS: dict[str, Least] = {
    **_each(
        GUEST,
        """
        items total page page_size next status
        id name type mime_type size_bytes duration_sec resolution title artist album tags facts
        created_at last_indexed_at folder folder_id urls stream thumbnail
        path parent_id audience files folders
        tracks n label language url
        cover month start end camera lens exposure aperture iso focal
        range file fileId streams downloads plays watchSeconds segments enoughData precision
        """,
    ),
    **_each(
        VIEWER,
        """
        sha256 uploaded_by uploader last_accessed_at download users
        seconds favourite
        own_name kind maker model state can_video hidden least_role volume muted error takes ok why
        showing file_id by mine position at duration can_pause can_seek place has_next repeat
        schedule waking wokenAt askedAt tookSeconds answered
        activeUsers visits medianVisitSeconds perDay day
        """,
    ),
    **_each(
        EDITOR,
        """
        duplicate size known match upload offset
        online writable free_bytes total_bytes
        trashed_at trashed_by
        expires_at has_password one_time used with_place owner owner_id link qr_svg opens opened_at
        """,
    ),
    **_each(
        ADMIN,
        """
        username user_id role privacy last_login_at device_name file_name player source started_at bytes_sent
        issued_at last_seen_at method present open_line number numbers claim session user token refreshToken
        guest needs_setup
        variable value default meaning from changeable
        mac interface hasSecureOn libraryRoot audience_rule
        family code firstSeenAt lastSeenAt
        """,
    ),
}
"""Member of a JSON answer of port 8000 → least role. One that is not here is for admins alone, too: it is
a mistake that a test finds."""

FIELDS_OF: dict[tuple[str, str], dict[str, Least]] = {
    ("GET", "/healthz"): _each(PUBLIC, "status"),
    ("GET", "/s/<token>/about"): _each(PUBLIC, "has_password one_time"),
    ("GET", "/s/<token>/files"): _each(
        LINK,
        """
        title expires_at items id name type mime_type size_bytes duration_sec resolution
        urls stream thumbnail download
        """,
    ),
    ("GET", "/s/<token>/files/<file_id>/subtitles"): _each(LINK, "tracks n label language url"),
    ("GET", "/shares/<share_id>"): _each(EDITOR, "device address"),
    # About nobody but whoever asks, or for everybody as a whole.
    **{
        route: {"*": PUBLIC}
        for route in (
            ("GET", "/openapi.json"),
            ("POST", "/auth/login"),
            ("POST", "/auth/refresh"),
            ("POST", "/auth/setup"),
            ("GET", "/auth/setup"),
            ("POST", "/auth/guest"),
            ("GET", "/auth/me"),
            ("PATCH", "/auth/me"),
            ("POST", "/auth/pair"),
            ("GET", "/auth/pair/<pairing_id>"),
            ("POST", "/auth/pair/<pairing_id>/confirm"),
            ("POST", "/auth/pair/<pairing_id>/claim"),
            ("POST", "/auth/pair/<pairing_id>/finish"),
            ("GET", "/sessions"),
            ("GET", "/me/log"),
        )
    },
}
"""Routes with members of their own, which win over FIELDS; `*`: the whole answer."""

WHOLE: frozenset[str] = frozenset({"facts", "takes", "perDay"})
"""Members whose value is told as it is, to whoever is told of it at all."""
