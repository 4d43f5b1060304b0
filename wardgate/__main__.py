"""`python -m wardgate`."""

from wardgate.cli.main import main

main()
