"""Reactive or tumoral lymphocytosis, from a patient's blood smear cells and three clinical values."""
