"""What synthesizers share: oscillators, modes, shaped noise, grains, voices, cadences."""
