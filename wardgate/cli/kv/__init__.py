"""`wardgate kv …`: key-value secrets of version 1 and 2 alike."""

from wardgate.cli.command import Commands, Group
from wardgate.cli.kv.metadata import METADATA
from wardgate.cli.kv.values import VALUES
from wardgate.cli.kv.versions import VERSIONS

COMMANDS: Commands = {
    "kv": Group("Work with key-value secrets.", {**VALUES, **VERSIONS, "metadata": METADATA})
}
