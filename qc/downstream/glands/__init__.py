"""Glands outlined one by one, by a U-Net. In: images with instance masks. Out: instances in other images."""
