"""The kubernetes auth method, beside the double of a cluster's API."""
