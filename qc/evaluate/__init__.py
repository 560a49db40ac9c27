"""Measuring the product against truth: phantoms, images with masks, labelled cells."""
