"""Load Wardgate and OpenBao in turn on one machine and set the figures side by side.

`scripts/bench` is the way in; `docs/performance.md` says what is measured and how. No part of the
server: nothing in `wardgate` imports it and it is not installed with it.
"""
