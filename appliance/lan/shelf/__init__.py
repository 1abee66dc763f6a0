"""What TVs see of the library: folders as a tree, views by kind, artist, date; files as DIDL items."""
