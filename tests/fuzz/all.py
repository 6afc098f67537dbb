"""Fuzz all readers, one on each core: `python -m tests.fuzz.all --seconds 60`, or `make fuzz`.

The last lines are a table: inputs tried, those that were taken as valid, seconds of computing,
edges of our code that were reached, what was found.
"""

import argparse
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.bad_input.all_readers import READERS
from tests.fuzz.corpus import save

_COUNT = re.compile(r"(\d+) inputs, (\d+) taken, (\d+) s")
_EDGES = re.compile(r"\bcov: (\d+)")
_TRIED = re.compile(r"number_of_executed_units: (\d+)")


def main() -> int:
    """Fuzz; return 1 if anything was found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("readers", nargs="*", metavar="READER", help="default: all")
    parser.add_argument("--seconds", type=int, default=60, help="for each (default: %(default)s)")
    parser.add_argument("--folder", type=Path, default=Path(".fuzz"), help="default: %(default)s")
    parser.add_argument("--at-once", type=int, default=os.cpu_count(), help="default: %(default)s")
    parser.add_argument(
        "--keep",
        action="store_true",
        help="keep the smallest inputs that reached something new in tests/fuzz/corpus",
    )
    args = parser.parse_args()
    unknown = set(args.readers) - set(READERS)
    if unknown:
        parser.error(f"no reader {', '.join(sorted(unknown))}; there are {', '.join(READERS)}")
    names = args.readers or list(READERS)
    with ThreadPoolExecutor(args.at_once) as pool:
        done = list(pool.map(lambda name: _fuzz(name, args), names))
    print(f"\n{HEAD}", *(line for line, _, _ in done), sep="\n")
    tried = sum(number for _, number, _ in done)
    found = sum(wrong for _, _, wrong in done)
    print(f"{len(names)} readers, {tried:,} inputs, {found} readers with something found")
    if args.keep:
        for name in names:
            print(f"{name}: {save(name, args.folder / name / 'corpus')} inputs kept")
    return int(bool(found))


HEAD = f"{'reader':28}{'inputs':>10}{'taken':>9}{'s':>6}{'edges':>8}"


def _fuzz(name: str, args: argparse.Namespace) -> tuple[str, int, bool]:
    """Fuzz a reader; return its line of the table, the inputs tried, and if anything was found."""
    status, said = _run(name, args, "--seconds", str(args.seconds))
    found = sorted((args.folder / name).glob("found-*"))
    # The seconds are those of computing; the last one's inputs are not in the count of taken.
    tried, taken, seconds = (_COUNT.findall(said) or [("0", "?", "?")])[-1]
    tried = (_TRIED.findall(said) or [tried])[-1]
    edges = (_EDGES.findall(said) or ["?"])[-1]
    line = f"{name:28}{tried:>10}{taken:>9}{seconds:>6}{edges:>8}  {len(found)} found"
    print(line, flush=True)
    if status:
        print(said[-6000:], flush=True)
    return line, int(tried), bool(found) or status != 0


def _run(name: str, args: argparse.Namespace, *words: str) -> tuple[int, str]:
    command = [sys.executable, "-m", "tests.fuzz.fuzz", name, *words, "--folder", args.folder]
    done = subprocess.run(command, capture_output=True, check=False)
    return done.returncode, (done.stdout + done.stderr).decode("utf-8", "replace")


if __name__ == "__main__":
    sys.exit(main())
