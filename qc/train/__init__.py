"""Training: the declared sources become weights with a card, by one command."""
