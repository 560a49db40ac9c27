"""Reports of a slide, a batch or a period: one file that prints, opens without a network and names no patient."""
