"""Synthesizers and recordings: dry sources. One file each; `render(ctx)` gives (n_channels, n_samples), `extent(sr)` its exact length."""
