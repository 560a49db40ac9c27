"""Reading slides: pixels at an mpp, tile plans, and the sanity gate."""
