"""What devices of each family send, with the source of each string: issue trackers where people pasted their
logs, and the notes of other media servers. Header names are written as the device writes them.

No such device was at hand: a replay shows that its requests get the answers which it is known to need.
"""

from __future__ import annotations

from dataclasses import dataclass, field

SONY_FILTER = (
    "dc:title,av:mediaClass,dc:date,@childCount,res,upnp:class,res@resolution,upnp:album,upnp:albumArtURI,"
    "upnp:albumArtURI@dlna:profileID,dc:creator,res@size,res@duration,res@bitrate,res@protocolInfo"
)
PACKET_VIDEO_FILTER = (
    "dc:title,dc:date,res,res@protocolInfo,res@size,res@duration,res@resolution,res@dlna:ifoFileURI,"
    "res@pv:subtitleFileType,res@pv:subtitleFileUri,upnp:albumArtURI,upnp:album,upnp:artist"
)
KODI_FILTER = (
    "dc:date,dc:description,upnp:longDescription,upnp:genre,res,res@duration,res@size,upnp:albumArtURI,"
    "upnp:rating,upnp:lastPlaybackPosition,upnp:lastPlaybackTime,upnp:playbackCount,"
    "upnp:originalTrackNumber,upnp:episodeNumber,upnp:programTitle,upnp:seriesTitle,upnp:album,upnp:artist,"
    "upnp:author,upnp:director,dc:publisher,searchable,childCount,dc:title,dc:creator,upnp:actor,res@resolution"
)


@dataclass(frozen=True)
class Replay:
    """One device: `describe`, `call` and `fetch` are the headers of its three kinds of request."""

    family: str
    source: str
    describe: dict[str, str]
    call: dict[str, str]
    fetch: dict[str, str]
    wanted: str = "*"
    """Its Filter."""
    count: int = 0
    """Its RequestedCount."""
    sort: str = ""
    extra_calls: tuple[str, ...] = ()
    """Actions without arguments that it begins with."""
    search: str = ""
    """SearchCriteria, of those that search rather than browse."""
    http: str = "HTTP/1.1"
    also: dict[str, str] = field(default_factory=dict)


def sony(model: str, version: str) -> dict[str, str]:
    return {
        "X-AV-Physical-Unit-Info": f'pa="{model}";',
        "X-AV-Client-Info": f'av=5.0; cn="Sony Corporation"; mn="{model}"; mv="{version}";',
    }


LG_OLD = "Linux/2.6.18 UPnP/1.0 LGE_DLNA_SDK/1.6.0 [TV][LG]42UB820V-ZH/04.02.00 DLNADOC/1.50"
CLOSE = {"Accept": "*/*", "Connection": "close"}
REPLAYS = (
    Replay(
        "samsung",
        "UniversalMediaServer#1676 (UE32EH5307); files as samsung-agent (gerbera, client_manager)",
        {"User-Agent": "DLNADOC/1.50 SEC_HHP_[TV]UE32EH5307/1.0"},
        {**CLOSE, "User-Agent": "SEC_HHP_[TV]UE32EH5307/1.0 DLNADOC/1.50"},
        {
            "User-Agent": "samsung-agent/1.1",
            "getcontentFeatures.dlna.org": "1",
            "getCaptionInfo.sec": "1",
            "getMediaInfo.sec": "1",
            "transferMode.dlna.org": "Streaming",
        },
        extra_calls=("X_GetFeatureList",),
        count=100,
    ),
    Replay(
        "samsung",
        "a C7000 that calls as DLNADOC/1.50 alone (dms, anacrolix: clients by agent)",
        {"User-Agent": "SEC_HHP_TV-40C7000/1.0"},
        {"User-Agent": "DLNADOC/1.50"},
        {"User-Agent": "samsung-agent/1.1", "getCaptionInfo.sec": "1", "getMediaInfo.sec": "1"},
    ),
    Replay(
        "samsung-new",
        "rclone#9346 (2026): Accept, Connection: close; UA as in gerbera's tests",
        {"User-Agent": "DLNADOC/1.50 SEC_HHP_[TV] Samsung Q7 Series (49)/1.0", **CLOSE},
        {"User-Agent": "DLNADOC/1.50 SEC_HHP_[TV] Samsung Q7 Series (49)/1.0", **CLOSE},
        {
            "User-Agent": "DLNADOC/1.50 SEC_HHP_[TV] Samsung Q7 Series (49)/1.0",
            "getcontentFeatures.dlna.org": "1",
            "getCaptionInfo.sec": "1",
            "getMediaInfo.sec": "1",
            "Connection": "close",
        },
        extra_calls=("X_GetFeatureList", "GetSystemUpdateID"),
        count=100,
    ),
    Replay(
        "samsung-player",
        "minidlna clients.c (BD J5500)",
        {"User-Agent": "DLNADOC/1.50 SEC_HHP_[BD]J5500/1.0"},
        {"User-Agent": "DLNADOC/1.50 SEC_HHP_[BD]J5500/1.0"},
        {"User-Agent": "samsung-agent/1.1", "transferMode.dlna.org": "Streaming"},
    ),
    Replay(
        "lg",
        "UniversalMediaServer PR 877 (EG910V), PR 4032 (previews by the browser); gerbera#839",
        {
            "User-Agent": "Linux/3.16.0-61.beehive4tv.3 UPnP/1.0 LGE WebOS TV LGE_DLNA_SDK/1.6.0/04.00.90 "
            "DLNADOC/1.50",
            "DLNADeviceName.lge.com": "%5bLG%5d%20webOS%20TV%20EG910V",
        },
        {
            "DLNADeviceName.lge.com": "%5bLG%5d%20webOS%20TV%20EG910V",
            "User-Agent": "Linux/3.16.0-61.beehive4tv.3 UPnP/1.0 LGE WebOS TV LGE_DLNA_SDK/1.6.0/04.00.90 "
            "DLNADOC/1.50",
        },
        {
            "User-Agent": "Mozilla/5.0 (Web0S; Linux/SmartTV) AppleWebKit/537.36 (KHTML, like Gecko) "
            "Chrome/94.0.4606.128 Safari/537.36 WebAppManager",
            "Connection": "close",
            "icy-metadata": "1",
        },
        sort="+upnp:class,+dc:title",
        count=30,
    ),
    Replay(
        "lg-old",
        "UniversalMediaServer, renderer tests (42UB820V)",
        {"User-Agent": LG_OLD},
        {"User-Agent": LG_OLD},
        {
            "User-Agent": LG_OLD,
            "getcontentFeatures.dlna.org": "1",
            "transferMode.dlna.org": "Streaming",
        },
        wanted=PACKET_VIDEO_FILTER,
    ),
    Replay(
        "sony-bravia",
        "minidlna clients.c (KDL-40EX503); Filter as its log shows it",
        {"User-Agent": "UPnP/1.0 DLNADOC/1.50", **sony("BRAVIA KDL-40EX503", "1.7")},
        {"User-Agent": "UPnP/1.0 DLNADOC/1.50", **sony("BRAVIA KDL-40EX503", "1.7")},
        {
            "User-Agent": "UPnP/1.0 DLNADOC/1.50",
            "getcontentFeatures.dlna.org": "1",
            **sony("BRAVIA KDL-40EX503", "1.7"),
        },
        wanted=SONY_FILTER,
        count=10,
    ),
    Replay(
        "sony-bravia-xr",
        "UniversalMediaServer#4279 (XR-55X90K)",
        {"User-Agent": "UPnP/1.0", **sony("BRAVIA XR-55X90K", "3.0")},
        {"User-Agent": "UPnP/1.0", **sony("BRAVIA XR-55X90K", "3.0")},
        {"User-Agent": "UPnP/1.0", **sony("BRAVIA XR-55X90K", "3.0")},
        wanted=SONY_FILTER,
        count=10,
    ),
    Replay(
        "sony-player",
        "dvds.beandog.org, notes on DLNA HTTP: three HEADs, the first with a User-Agent",
        {"User-Agent": "UPnP/1.0 DLNADOC/1.50", **sony("Blu-ray Disc Player", "2.0")},
        {**sony("Blu-ray Disc Player", "2.0")},
        {"Accept": "*/*", "getcontentFeatures.dlna.org": "1", **sony("Blu-ray Disc Player", "2.0")},
        wanted=SONY_FILTER,
    ),
    Replay(
        "panasonic",
        "gerbera#1210, minidlna clients.c",
        {"User-Agent": "Panasonic MIL DLNA CP UPnP/1.0 DLNADOC/1.50"},
        {"User-Agent": "Panasonic MIL DLNA CP UPnP/1.0 DLNADOC/1.50", "X-PANASONIC-DMP-Profile": "VmllcmE="},
        {
            "User-Agent": "Panasonic MIL DLNA CP UPnP/1.0 DLNADOC/1.50",
            "getcontentFeatures.dlna.org": "1",
            "transferMode.dlna.org": "Streaming",
        },
        wanted=PACKET_VIDEO_FILTER,
        extra_calls=("GetSortCapabilities",),
    ),
    Replay(
        "philips",
        "UniversalMediaServer, Philips-*.conf",
        {"User-Agent": "Allegro-Software-WebClient/4.61 DLNADOC/1.00"},
        {"User-Agent": "Allegro-Software-WebClient/4.61 DLNADOC/1.00"},
        {"User-Agent": "49PUS8503/12", "getCaptionInfo.sec": "1"},
        http="HTTP/1.0",
    ),
    Replay(
        "netfront",
        "ps3mediaserver PR 100 (Philips HTS), minidlna clients.c (Vizio)",
        {
            "CONNECTION": "Keep-Alive",
            "DATE": "Fri, 01 Jan 2010 00:00:11 GMT",
            "USER-AGENT": "IPI/1.0 UPnP/1.0 DLNADOC/1.50",
        },
        {"USER-AGENT": "IPI/1.0 UPnP/1.0 DLNADOC/1.50"},
        {"USER-AGENT": "IPI/1.0 UPnP/1.0 DLNADOC/1.50", "getcontentFeatures.dlna.org": "1"},
    ),
    Replay(
        "xbox-360",
        "Platinum's simulation of an Xbox 360; ids by heart (minidlna scanner.h)",
        {"User-Agent": "Xbox/2.0.8955.0 UPnP/1.0 Xbox/2.0.8955.0"},
        {"User-Agent": "Xbox/2.0.8955.0 UPnP/1.0 Xbox/2.0.8955.0"},
        {"User-Agent": "Xenon"},
        search='(upnp:class derivedfrom "object.item.audioItem")',
    ),
    Replay(
        "xbox-one",
        "UniversalMediaServer, Microsoft-XboxOne.conf",
        {
            "User-Agent": "NSPlayer/12.00.9600.16411 WMFSDK/12.00.9600.16411",
            "FriendlyName.DLNA.ORG": "XboxOne",
        },
        {
            "User-Agent": "NSPlayer/12.00.9600.16411 WMFSDK/12.00.9600.16411",
            "FriendlyName.DLNA.ORG": "XboxOne",
        },
        {
            "User-Agent": "NSPlayer/12.00.9600.16411 WMFSDK/12.00.9600.16411",
            "getcontentFeatures.dlna.org": "1",
            "transferMode.dlna.org": "Streaming",
        },
    ),
    Replay(
        "playstation-3",
        "minidlna clients.c, Platinum's simulation of a PS3",
        {"X-AV-Client-Info": 'av=5.0; cn="Sony Computer Entertainment Inc."; mn="PLAYSTATION 3"; mv="1.0";'},
        {"X-AV-Client-Info": 'av=5.0; cn="Sony Computer Entertainment Inc."; mn="PLAYSTATION 3"; mv="1.0";'},
        {"User-Agent": "PLAYSTATION 3", "transferMode.dlna.org": "Streaming"},
    ),
    Replay(
        "playstation-4",
        "UniversalMediaServer, PS4.conf; gerbera#821",
        {"User-Agent": "PS4Application libhttp/1.000 (PS4) libhttp/2.51 (PlayStation 4)"},
        {"User-Agent": "PS4Application libhttp/1.000 (PS4) libhttp/2.51 (PlayStation 4)"},
        {"User-Agent": "PS4Application libhttp/1.000 (PS4) libhttp/2.51 (PlayStation 4)"},
    ),
    Replay(
        "roku",
        "ua-parser/uap-core#125, UniversalMediaServer Roku-TV8.conf",
        {"User-Agent": "Roku/DVP-6.2 (096.02E06005A)"},
        {"User-Agent": "Roku/DVP-6.2 (096.02E06005A)"},
        {"User-Agent": "Roku/DVP-6.2 (096.02E06005A)"},
    ),
    Replay(
        "vlc",
        "seen: VLC 3.0 on libupnp",
        {"USER-AGENT": "Linux/6.1.0-18-amd64, UPnP/1.0, Portable SDK for UPnP devices/1.14.16"},
        {"USER-AGENT": "Linux/6.1.0-18-amd64, UPnP/1.0, Portable SDK for UPnP devices/1.14.16"},
        {
            "User-Agent": "VLC/3.0.21 LibVLC/3.0.21",
            "Accept": "*/*",
            "Accept-Language": "en_US",
            "Connection": "close",
            "Icy-MetaData": "1",
        },
        count=5000,
    ),
    Replay(
        "kodi",
        "Platinum's PltSyncMediaBrowser.h (filter, pages of 200), gerbera's tests",
        {"User-Agent": "UPnP/1.0 DLNADOC/1.50 Platinum/1.0.5.13"},
        {"User-Agent": "UPnP/1.0 DLNADOC/1.50 Platinum/1.0.5.13"},
        {"User-Agent": "Kodi/21.0 (Linux) UPnP/1.0 DLNADOC/1.50 Platinum/1.0.5.13"},
        wanted=KODI_FILTER,
        count=200,
    ),
    Replay(
        "bubbleupnp",
        "tkem/mopidy-dleyna#10 (2.4.1.1 on Android 5.0.2)",
        {"User-Agent": "Android/5.0.2 UPnP/1.0 BubbleUPnP/2.4.1.1"},
        {"Connection": "Keep-Alive", "User-Agent": "Android/5.0.2 UPnP/1.0 BubbleUPnP/2.4.1.1"},
        {"User-Agent": "Android/5.0.2 UPnP/1.0 BubbleUPnP/2.4.1.1"},
        count=500,
        search='dc:title contains "umm" and upnp:class derivedfrom "object.item.videoItem"',
    ),
    Replay("yamaha", "gerbera clients.h", *({"User-Agent": "KnOS/3.2 UPnP/1.0 DMP/3.5"},) * 3),
    Replay("radio", "gerbera clients.h", *({"User-Agent": "EC-IRADIO/1.0"},) * 3),
    Replay("technisat", "gerbera#3312", *({"User-Agent": "FSL DLNADOC/1.50 UPnP Stack/1.0"},) * 3),
    Replay(
        "default",
        "home-assistant/core#104556: browse_metadata of dlna_dms",
        {"User-Agent": "Home Assistant"},
        {"User-Agent": "Home Assistant"},
        {"User-Agent": "Home Assistant", "getcontentFeatures.dlna.org": "1"},
        wanted="id,upnp:class,dc:title,res,@childCount,upnp:albumArtURI",
    ),
)
