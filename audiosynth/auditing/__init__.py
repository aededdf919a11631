"""What `audiosynth audit` looks at, rows and sounds."""
