"""Campaign: one target for some seconds, from the kept inputs on; what it finds goes into the corpus."""

from __future__ import annotations

import contextlib
import importlib.util
import logging
import sys
import tempfile
import warnings
from pathlib import Path

from .corpus import Corpus
from .guide import Guide
from .mutation import LONGEST
from .targets import make_target
from .targets.target import Finding, Target

CRASH = "crash"
_FOUND = 1  # exit code


def atheris_is_installed() -> bool:
    return importlib.util.find_spec("atheris") is not None


class Campaign:
    """One run at the target of this name."""

    def __init__(self, name: str, seconds: float, seed: int) -> None:
        self._name = name
        self._seconds = seconds
        self._seed = seed
        self._corpus = Corpus(name)

    def run(self) -> int:
        """Run it; the exit code says whether something was found. With atheris this does not return."""
        logging.disable()
        warnings.simplefilter("ignore", FutureWarning)  # of `re`, on expressions that nobody would write
        if atheris_is_installed():
            self._with_atheris()
        return self._with_guide()

    def _with_guide(self) -> int:
        with contextlib.closing(make_target(self._name)) as target:
            guide = Guide(target, self._corpus.inputs(), self._seed)
            found = guide.run(self._seconds)
            print(f"{self._name}: {guide.tried} inputs, {len(guide.kept)} of them reached something new", flush=True)
            return 0 if found is None else self._tell(target, found)

    def _with_atheris(self) -> None:
        import atheris  # type: ignore[import-untyped,import-not-found,unused-ignore]  # optional, and without types

        with atheris.instrument_imports(include=["dockerproxy"]):
            target = make_target(self._name)

        def one(data: bytes) -> None:
            try:
                target.check(data)
            except Exception:
                self._corpus.keep(data, CRASH)
                raise

        folder = self._unpacked()
        options = {
            "max_total_time": max(1, round(self._seconds)),
            "max_len": LONGEST,
            "dict": self._words(folder, target),
            "seed": self._seed or 1,
            "artifact_prefix": f"{folder}/",
            "print_final_stats": 1,
            "verbosity": 0,
        }
        flags = [f"-{name}={value}" for name, value in options.items()]
        atheris.Setup([sys.argv[0], str(folder / "inputs"), *flags], one, enable_python_coverage=True)
        atheris.Fuzz()

    def _unpacked(self) -> Path:
        """The kept inputs as the bytes that they are, in a folder that libFuzzer may write to."""
        folder = Path(tempfile.mkdtemp())
        (folder / "inputs").mkdir()
        for number, data in enumerate(self._corpus.inputs()):
            (folder / "inputs" / str(number)).write_bytes(data)
        return folder

    @staticmethod
    def _words(folder: Path, target: Target) -> Path:
        file = folder / "words"
        escaped = ("".join(f"\\x{byte:02x}" for byte in word) for word in target.words)
        file.write_text("".join(f'"{word}"\n' for word in escaped), encoding="ascii")
        return file

    def _tell(self, target: Target, data: bytes) -> int:
        file = self._corpus.keep(data, CRASH)
        try:
            target.check(data)
        except Finding as finding:
            print(f"{self._name}: {finding}\n  kept as {file.name}: {data!r}", flush=True)
        else:
            print(f"{self._name}: found once, but not again; kept as {file.name}: {data!r}", flush=True)
        return _FOUND
