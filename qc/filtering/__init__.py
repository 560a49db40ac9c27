"""The filter: from artefact maps, verdicts and people's decisions to the tiles that a classifier may see."""
