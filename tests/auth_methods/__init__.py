"""One suite for all auth methods: what every one of them owes to whoever logs in, and to the operator.

`method.Method` is what a method has to tell about itself; each has an adapter in a file of its own,
listed in `adapters`. A method without one fails `test_adapters`.
"""
