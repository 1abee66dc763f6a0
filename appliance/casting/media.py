"""From a file of the library to what a player is told, and whether it takes it at all. Pure."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import PurePath

from appliance.casting.player import Kind, Player
from appliance.lan.captions import numbers
from appliance.library.items import File
from appliance.library.items import Kind as FileKind
from appliance.streaming.subtitles import Track
from dlna.casting.formats import takes
from dlna.casting.playback import Media, Subtitles
from dlna.catalog import MediaKind, Resource
from dlna.clients.client import DEFAULT, Client, Hints
from dlna.clients.recognise import family_of
from dlna.protocol_info import features, mime_type

ORIGINAL, PICTURE = "o", "sm"
"""Renditions, as `lan.media_urls.Grant` names them."""

CAST_SINK = frozenset(
    {
        "video/mp4",
        "video/webm",
        "video/mp2t",
        "audio/mpeg",
        "audio/mp4",
        "audio/aac",
        "audio/flac",
        "audio/ogg",
        "audio/wav",
        "audio/webm",
        "image/jpeg",
        "image/png",
        "image/gif",
        "image/webp",
    }
)
"""Google's "Supported media for Google Cast": no Matroska, no AVI."""
CAST_AUDIO_SINK = frozenset(kind for kind in CAST_SINK if kind.startswith("audio/"))
"""Speakers and groups of them."""
CAST_VIDEO_CODECS = frozenset({"h264", "avc", "hevc", "h265", "vp8", "vp9", "av1"})
"""Newer ones only on newer devices; which is which they do not say, so they are offered."""
CAST_AUDIO_CODECS = frozenset({"aac", "mp3", "opus", "vorbis", "flac", "ac3", "eac3", "pcm_s16le"})
"""AC-3 is passed through by most TVs behind a Cast device; DTS by none."""


def why_not(player: Player, file: File) -> str | None:
    """Why this player does not take this file, in words for the page; None: it does, as far as it says."""
    if file.kind not in (FileKind.VIDEO, FileKind.AUDIO, FileKind.IMAGE):
        return "Only videos, music and photos play on a TV."
    ending = PurePath(file.name).suffix[1:].upper() or file.mime_type
    name = player.shown_name
    if file.kind is FileKind.VIDEO and not player.can_video:
        return f"{name} has no screen."
    if not takes(player.sink, file.mime_type):
        return f"{name} does not play {ending} files."
    if player.kind is Kind.CAST:
        codecs = file.facts.get("codecs") or {}
        for part, known in (("video", CAST_VIDEO_CODECS), ("audio", CAST_AUDIO_CODECS)):
            codec = str(codecs.get(part) or "").lower()
            if codec and codec not in known:
                return f"{name} does not play {codec.upper()} {'pictures' if part == 'video' else 'sound'}."
    return None


def media(
    file: File,
    url: Callable[[str, str], str],
    tracks: Sequence[Track] = (),
    player_kind: Kind = Kind.DLNA,
    client: Client = DEFAULT,
) -> Media:
    """`url(rendition, extension)` makes a signed URL; `client` is the family of the player."""
    kind = MediaKind(file.kind.value)
    tracks = _as_told(file, tracks)
    caption = "vtt" if player_kind is Kind.CAST else "srt"
    extension = PurePath(file.name).suffix[1:].lower()
    extension = extension if extension.isascii() and extension.isalnum() and len(extension) <= 5 else "bin"
    resource = Resource(path="", mime_type=file.mime_type, kind=kind)
    return Media(
        url=url(ORIGINAL, extension),
        title=file.title or PurePath(file.name).stem,
        mime_type=mime_type(resource, client),
        kind=kind.value,
        features=features(resource, client),
        size_bytes=file.size_bytes,
        duration_sec=file.duration_sec,
        resolution=file.resolution,
        artist=file.artist,
        album=file.album,
        art_url=url(PICTURE, "jpg"),
        subtitles=tuple(
            Subtitles(
                url(f"{caption}{track.n}", caption),
                f"text/{caption}",
                track.language or "",
                track.label,
            )
            for track in tracks
        ),
    )


def _as_told(file: File, tracks: Sequence[Track]) -> list[Track]:
    """Beside the film first, what is called as it is before the others: many TVs take one alone."""
    beside = [track for track in tracks if track.name is not None]
    order = numbers([track.name or b"" for track in beside], os.fsencode(file.name))
    return [beside[n] for n in order] + [track for track in tracks if track.name is None]


def family(player: Player) -> Client:
    """What this player's family needs, told from its own description."""
    return family_of(Hints({}, f"{player.maker} / {player.model}"))
