"""Pictures of slides for the viewer: routes of our own in the dashboard's process, each guarded by a token."""

from qc.dashboard.tiles.routes import TOKEN_HEADER, routes
from qc.dashboard.tiles.server import TOKEN_SECONDS, TileServer, tile_server
from qc.dashboard.tiles.shown_slide import Source

__all__ = ["TOKEN_HEADER", "TOKEN_SECONDS", "Source", "TileServer", "routes", "tile_server"]
