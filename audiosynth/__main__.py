"""`python -m audiosynth` is `audiosynth`."""

from audiosynth.cli import main

if __name__ == "__main__":
    main()
