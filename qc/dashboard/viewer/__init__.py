"""The slide viewer: a component around OpenSeadragon (BSD-3-Clause, kept here with its licence), offline."""
