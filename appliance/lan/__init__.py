"""dlna.catalog over the library; the LAN listener's media route; TVs' permissions; mDNS."""
