"""Metastases in lymph nodes: tile scores, heat maps, slide labels, the pN stage of a patient."""
