"""One page a module: `page(context)` reads through queries, writes through the store, and draws."""
