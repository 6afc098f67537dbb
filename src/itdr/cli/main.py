"""The `itdr` command. A subcommand's module is imported only when it is called."""

import argparse
import importlib
import logging
import sys
import traceback
from collections.abc import Sequence
from contextlib import suppress

from itdr import __version__
from itdr.cli.terminal import LogFormatter, has_colours, printable, red
from itdr.errors import ItdrError
from itdr.interrupts import INTERRUPTED, interruptible

COMMANDS = {
    "simulate": "write the raw files of a simulated dataset",
    "fetch": "bring the raw files of a dataset here",
    "normalise": "turn raw files into interactions, items and users tables",
    "build": "build the examples of one task from the tables of one dataset",
    "annotate": "let a teacher write the answers of IR and TUI",
    "split": "divide examples into train, val and test by user",
    "fetch-release": "bring the authors' files of one task and dataset here",
    "import-release": "turn released files into train, val and test parts",
    "audit": "look for faults in examples before anything is trained on them",
    "statistics": "count examples and their tokens, beside the paper's",
    "export": "write examples for LLaMA-Factory or Hugging Face, or answers as JSON lines",
    "mix": "put the training parts together into one mixture",
    "fetch-model": "bring a base model here before any job holds a GPU",
    "tiny-model": "make the tiny language model of the demo",
    "train": "fine-tune a LoRA adapter on a mixture",
    "import-adapter": "bring a LoRA adapter here that the authors have published",
    "infer": "let a model answer test examples",
    "trivial": "answer test examples without a model",
    "recommend": "answer test examples with a conventional recommender",
    "score": "compare answers with references",
    "compare": "compare the answers of variants, two by two, by paired tests",
    "plan": "say what a target would cost before anything is spent",
    "doctor": "say what this machine lacks for a target",
    "status": "say how far a target is and when it will be ready",
    "report": "make tables and figures from scores",
    "trace": "say which raw lines an example was built from",
    "reference": "write the reference of all settings and commands anew",
    "completion": "print what lets a shell complete commands and options",
}

_SPELLINGS = {"normalize": "normalise"}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Returns:
        The exit status: 0 well, 1 an error that was explained, 130 interrupted by Ctrl-C.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    if (called := _command(arguments)) in _SPELLINGS:
        arguments[arguments.index(called)] = _SPELLINGS[called]
    try:
        return _explained(arguments)
    except KeyboardInterrupt:
        return _say(arguments, _INTERRUPTED, INTERRUPTED)


_INTERRUPTED = "interrupted. What is finished stays; the same command goes on from there."
_MEND = "Nothing was left half-written; mend this and run it again."
_NO_MEMORY = (
    "the memory or the processes that it may have do not suffice. Nothing was left half-written; "
    "give it more, or less to do at once (--threads, --batch-size, --memory-limit-mb)."
)


def _explained(arguments: Sequence[str]) -> int:
    """Run the command, and say what went wrong if it is something that a user can act on."""
    with interruptible() as interruption:
        try:
            return _run(arguments)
        except Exception as error:
            if interruption.happened:  # and a library made another error of it
                return _say(arguments, _INTERRUPTED, INTERRUPTED)
            if isinstance(error, ItdrError):
                if {"-v", "--verbose"} & set(arguments):
                    traceback.print_exception(error)
                return _say(arguments, str(error), 1)
            if _is_short_of_memory(error):
                return _say(arguments, _NO_MEMORY, 1)
            if isinstance(error, OSError):
                where, why = error.filename or "output", error.strerror or error
                return _say(arguments, f"{where}: {why}. {_MEND}", 1)
            raise


def _is_short_of_memory(error: Exception) -> bool:
    """Say whether an error is about memory or processes; libraries have errors of their own."""
    return isinstance(error, MemoryError) or any(
        sign in f"{type(error).__name__} {error}"
        for sign in ("OutOfMemory", "allocate memory", "start new thread", "std::bad_alloc")
    )


def _run(arguments: Sequence[str]) -> int:
    called = _command(arguments)
    args = make_parser([called] if called else []).parse_args(arguments)
    args.words = arguments
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(LogFormatter(has_colours(sys.stderr)))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    logging.getLogger("itdr").setLevel(
        logging.WARNING if args.quiet else logging.DEBUG if args.verbose else logging.INFO
    )
    for library in ("httpx", "httpx2"):  # which log every request
        logging.getLogger(library).setLevel(logging.INFO if args.verbose else logging.WARNING)
    return args.run(args) or 0


def _say(arguments: Sequence[str], message: str, status: int) -> int:
    """Print what stopped the command and return its exit status."""
    with suppress(OSError):  # a log on a full disk
        text = printable(f"itdr {_command(arguments)}: {message}")
        print(red(text) if has_colours(sys.stderr) else text, file=sys.stderr)
    return status


def _command(arguments: Sequence[str]) -> str | None:
    return next((word for word in arguments if not word.startswith("-")), None)


def _add_verbosity(command: argparse.ArgumentParser) -> None:
    """Add -q and -v."""
    talk = command.add_mutually_exclusive_group()
    talk.add_argument("-q", "--quiet", action="store_true", help="log warnings and errors alone")
    talk.add_argument(
        "-v",
        "--verbose",
        action="store_true",
        help="log also each request to a server, and where in the code an error arose",
    )


class _Aligned(argparse.HelpFormatter):
    """Help with room for the longest command's name, so that all summaries align."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=30)

    def add_argument(self, action: argparse.Action) -> None:
        """Add an option or the list of commands, whose indent argparse forgets to count."""
        super().add_argument(action)
        if isinstance(action, argparse._SubParsersAction):
            self._action_max_length += self._indent_increment


def make_parser(called: Sequence[str]) -> argparse.ArgumentParser:
    """Return the parser of the command line; only the commands that are called have options."""
    parser = argparse.ArgumentParser(
        prog="itdr",
        formatter_class=_Aligned,
        description="Rebuild and evaluate ITDR, an instruction-tuning dataset for recommendation. "
        "Each subcommand is one stage; the Snakemake workflow calls them in order.",
        epilog="'itdr COMMAND --help' tells a command's options, with units and defaults.",
    )
    parser.add_argument("--version", action="version", version=f"itdr {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, summary in COMMANDS.items():
        sentence = f"{summary[0].upper()}{summary[1:]}."
        command = commands.add_parser(name, help=summary, description=sentence)
        if name in called:
            module = importlib.import_module(f"itdr.cli.{name.replace('-', '_')}")
            module.add_arguments(command)
            _add_verbosity(command)
            command.set_defaults(run=module.run)
    return parser
