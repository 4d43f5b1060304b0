"""Finds the command that a command line names, and runs it or tells how it is used."""

from wardgate.cli import options
from wardgate.cli.arguments import CommandLine, Options, wants_help
from wardgate.cli.command import Command, Commands, Group, Program
from wardgate.cli.failure import Finished, UsageError
from wardgate.cli.options import GlobalOptions
from wardgate.cli.session import Session


def dispatch(commands: Commands, name: str, before: Options, line: CommandLine) -> None:
    """Run the command of `commands` that `name` and the rest of the `line` name.

    `before` are the options that stood before the name. Raises `CommandFailed`.
    """
    path = [name]
    node = commands[name]
    while isinstance(node, Group):
        before += line.options(options.KNOWN)
        word = None if wants_help(before) else line.word()
        if wants_help(before):
            from wardgate.cli.help import group_help

            return print(group_help(path, node))
        if word is None or word not in node.commands:
            names = ", ".join(sorted(node.commands))
            raise UsageError(f"Usage: wardgate {' '.join(path)} COMMAND, one of: {names}")
        path.append(word)
        node = node.commands[word]
    if isinstance(node, Program):
        return _run_program(node, before, line)
    return _run_command(Command.of(node), path, before, line)


def _run_command(command: Command, path: list[str], before: Options, line: CommandLine) -> None:
    own = command.names
    switches = {name: option.is_switch for name, option in own.items()}
    try:
        words, given = line.words_and_options(options.KNOWN | switches)
    except UsageError as error:
        raise UsageError(f'{error} (see "wardgate {" ".join(path)} -h")') from error
    if wants_help(before + given):
        from wardgate.cli.help import command_help

        return print(command_help(path, command))
    for_all = GlobalOptions()
    for_all.take(before + [pair for pair in given if pair[0] not in own])
    session = Session(for_all)
    try:
        command.call(session, words, [pair for pair in given if pair[0] in own])
    finally:
        session.close()
    return None


def _run_program(program: Program, before: Options, line: CommandLine) -> None:
    if before and not wants_help(before):
        raise UsageError("the options of this command stand behind its name")
    code = program.run(["-help"] if before else line.rest())
    if code:
        raise Finished(code)
