"""itdr completion: print what lets a shell complete commands and options."""

import argparse

from itdr.cli.options import input_path

SHELLS = ("bash", "zsh", "tcsh")
_PATHS = (input_path,)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's options."""
    parser.add_argument("shell", choices=SHELLS, help=f"the shell: {', '.join(SHELLS)}")
    parser.epilog = (
        "bash: itdr completion bash > ~/.local/share/bash-completion/completions/itdr; "
        "zsh: itdr completion zsh > a folder of $fpath, as _itdr; "
        "tcsh: itdr completion tcsh > ~/.itdr.tcsh, which ~/.tcshrc then sources."
    )


def run(args: argparse.Namespace) -> None:
    """Print the script."""
    import shtab

    from itdr.cli.main import COMMANDS, make_parser

    parser = make_parser(list(COMMANDS))
    for action in _actions(parser):
        takes_value = action.nargs != 0 and not action.choices
        if takes_value and (action.type in _PATHS or action.metavar in ("FILE", "DIR")):
            action.complete = shtab.FILE  # type: ignore[attr-defined]
    print(shtab.complete(parser, args.shell), end="")


def _actions(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    """Return the options of a command and of all below it."""
    below = [command for action in parser._actions
             if isinstance(action, argparse._SubParsersAction)
             for command in action.choices.values()]  # fmt: skip
    return [*parser._actions, *(action for command in below for action in _actions(command))]
