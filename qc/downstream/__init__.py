"""Classifiers behind the gate: what they see is a manifest, what they give is scores of slides.

Shared by all tasks: tiles, stain, mixup, trainer, classifier, heatmap, slide_score, compare. Tasks: follicular.
"""
