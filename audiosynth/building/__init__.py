"""What `build`, `reproduce` and `vary` stand on: orders, units of work, folders, workers."""
