"""How fast slides are assessed and networks run, beside the decoder that everything stands on."""
