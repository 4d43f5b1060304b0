"""Auth methods, one file or folder each."""
