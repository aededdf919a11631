"""The pages and pictures people look at."""
