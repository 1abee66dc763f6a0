"""UPnP and DLNA: a media server's wire and control of renderers. Knows nothing of the appliance."""
