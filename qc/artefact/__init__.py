"""Artefact stages: from pixels of tissue to a class per cell."""
