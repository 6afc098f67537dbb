"""Look for bytes that upset one reader, led by coverage: `python -m tests.fuzz.fuzz READER`.

libFuzzer (through atheris) changes valid inputs and keeps what reaches new lines of our code. What
it finds lies in .fuzz/READER/found-*, the inputs that it learnt from in .fuzz/READER/corpus; it
begins with those that tests/fuzz/corpus keeps.
"""

import argparse
import sys
import time
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["itdr"]):
    from tests.bad_input.all_readers import READERS
    from tests.bad_input.mutations import SPICES
    from tests.fuzz.corpus import load

_LONGEST_INPUT = 80_000


def main() -> None:
    """Fuzz one reader."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("reader", choices=READERS)
    parser.add_argument("--seconds", type=int, default=60, help="how long (default: %(default)s)")
    parser.add_argument("--folder", type=Path, default=Path(".fuzz"), help="default: %(default)s")
    args = parser.parse_args()
    reader = READERS[args.reader]
    folder = args.folder / args.reader
    corpus = folder / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    for place, seed in enumerate(reader.seeds()):
        (corpus / f"seed-{place}").write_bytes(seed)
    for name, data in load(args.reader).items():
        (corpus / name).write_bytes(data)
    words = folder / "words"
    words.write_text("".join(f'"{_escaped(spice[:60])}"\n' for spice in SPICES))
    options = [
        f"-max_total_time={args.seconds}",
        f"-max_len={_LONGEST_INPUT}",
        f"-dict={words}",
        f"-artifact_prefix={folder}/found-",
        "-timeout=60",
        "-rss_limit_mb=4096",
        "-close_fd_mask=0",
        "-verbosity=1",
        "-reduce_inputs=1",
        "-print_final_stats=1",
        str(corpus),
    ]
    count = _Count(args.reader)

    def once(data: bytes) -> None:
        count.note(reader.check(data))

    atheris.Setup([sys.argv[0], *options], once)
    atheris.Fuzz()


class _Count:
    """Says now and then how many inputs were tried."""

    def __init__(self, name: str) -> None:
        self._name, self._taken, self._tried = name, 0, 0
        self._begun = self._told = time.process_time()

    def note(self, taken: bool) -> None:
        """Count an input."""
        self._tried += 1
        self._taken += taken
        if time.process_time() - self._told > 1:
            self._told = time.process_time()
            self.tell()

    def tell(self) -> None:
        """Say how many there were."""
        seconds = time.process_time() - self._begun
        print(f"{self._name}: {self._tried} inputs, {self._taken} taken, {seconds:.0f} s of "
              "computing", flush=True)  # fmt: skip


def _escaped(data: bytes) -> str:
    return "".join(f"\\x{byte:02x}" for byte in data)


if __name__ == "__main__":
    main()
