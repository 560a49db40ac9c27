"""Optics and stain physics: how light through a slide becomes a picture, and how artefacts change it.

Everything works on transmittance images, (H, W, 3) float32 in 0-1, at a stated mpp. An artefact is a frozen
value in micrometres (see `qc.optics.artefact`): `draw_fold` and its kin draw one, `lay` lays it onto an image.
"""
