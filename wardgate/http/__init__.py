"""HTTP: parsing and bounding requests, writing responses."""
