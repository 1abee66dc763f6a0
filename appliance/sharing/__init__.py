"""Links, QR codes, pairing."""
