"""Fuzz one reader after the other: `python -m tests.fuzz.all --seconds 60`, or `make fuzz`.

The last lines are a table: inputs tried, those that were taken as valid, what was found.
"""

import argparse
import re
import subprocess
import sys
from pathlib import Path

from tests.bad_input.all_readers import READERS

_COUNT = re.compile(r"(\d+) inputs, (\d+) taken, (\d+) s")
_TRIED = re.compile(r"number_of_executed_units: (\d+)")


def main() -> int:
    """Fuzz; return 1 if anything was found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("readers", nargs="*", metavar="READER", help="default: all")
    parser.add_argument("--seconds", type=int, default=60, help="for each (default: %(default)s)")
    parser.add_argument("--folder", type=Path, default=Path(".fuzz"), help="default: %(default)s")
    args = parser.parse_args()
    unknown = set(args.readers) - set(READERS)
    if unknown:
        parser.error(f"no reader {', '.join(sorted(unknown))}; there are {', '.join(READERS)}")
    lines, all_found = [], 0
    for name in args.readers or READERS:
        # The seconds are those of computing; the last one's inputs are not in the count of taken.
        command = [sys.executable, "-m", "tests.fuzz.fuzz", name, "--seconds", str(args.seconds)]
        done = subprocess.run([*command, "--folder", args.folder], capture_output=True, check=False)
        said = (done.stdout + done.stderr).decode("utf-8", "replace")
        found = sorted((args.folder / name).glob("found-*"))
        all_found += bool(found) or done.returncode != 0
        tried, taken, seconds = (_COUNT.findall(said) or [("?", "?", "?")])[-1]
        tried = (_TRIED.findall(said) or [tried])[-1]
        lines.append(f"{name:28}{tried:>9}{taken:>9}{seconds:>6}  {len(found)} found")
        print(lines[-1], flush=True)
        if done.returncode:
            print(said[-6000:], flush=True)
    print(f"\n{'reader':28}{'inputs':>9}{'taken':>9}{'s':>6}", *lines, sep="\n")
    return 1 if all_found else 0


if __name__ == "__main__":
    sys.exit(main())
