"""`python -m engine.cli`: the `wakil` command."""

from engine.cli.main import main

main()
