"""The page on which people review clips: a local server and one plain page."""
