"""``initialize`` blocks: a new server sets itself up by what its configuration says."""
