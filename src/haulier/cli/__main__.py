"""So that `python -m haulier.cli` is the command line too."""

from haulier.cli.main import main

if __name__ == "__main__":
    main()
