"""Radios, receivers and boxes that need one thing each. Sources: gerbera clients.h, minidlna clients.c."""

from __future__ import annotations

from dlna.clients.client import Captions, Client

# `EC-IRADIO/1.0`, seen on Hama internet radios
RADIO = Client("radio", signs=(("user-agent", r"EC-IRADIO"),), xml_declaration=False)

# `KnOS/3.2 UPnP/1.0 DMP/3.5`, Yamaha receivers
YAMAHA = Client("yamaha", signs=(("user-agent", r"KnOS/3\.2"),), ascii_xml=True)

# `FSL DLNADOC/1.50 UPnP Stack/1.0`, Technisat radios (gerbera#3312)
TECHNISAT = Client("technisat", signs=(("user-agent", r"FSL DLNADOC"),), simple_dates=True)

# `O!Play`: longer titles end the list
ASUS = Client("asus", signs=(("user-agent", r"O!Play"),), longest_title=23, captions=Captions.RESOURCE)

FAMILIES = (RADIO, YAMAHA, TECHNISAT, ASUS)
