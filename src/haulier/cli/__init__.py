"""The command line: `haulier serve`, `submit`, `watch` and the rest."""
