"""The messages that Wardgate words differently, by topic; `rewordings` applies them."""
