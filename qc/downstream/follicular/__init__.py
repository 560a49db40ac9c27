"""Follicular lymphoma against follicular hyperplasia, by the share of a slide's tiles that are called lymphoma."""
