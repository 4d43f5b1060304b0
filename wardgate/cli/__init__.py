"""The wardgate command line."""
