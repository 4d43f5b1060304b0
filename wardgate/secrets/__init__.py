"""Secret engines."""
