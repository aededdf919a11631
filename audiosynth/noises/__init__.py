"""Noises: beds of any length. One file each; `render(ctx, start=…, n_samples=…)` gives any stretch of the same endless sound."""
