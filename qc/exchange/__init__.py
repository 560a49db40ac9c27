"""Results in the formats of others: rasters, GeoJSON, tables."""
