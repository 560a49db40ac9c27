"""From slide files to records and pictures: one slide, then many."""
