"""How a backend is written: typed endpoints, fields, OpenAPI, help."""
