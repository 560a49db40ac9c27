"""The network as an artefact stage."""
