"""Code that a model wrote, run in a process of its own with limits of time and memory; this is no sandbox."""

import contextlib
import os
import secrets
import signal
import subprocess
import sys
import tempfile

SECONDS, BYTES, FILE_BYTES = 10, 2**30, 2**20
LIMITED = """
import resource, sys
for what, most in ((resource.RLIMIT_CPU, {seconds}), (resource.RLIMIT_AS, {memory}), (resource.RLIMIT_FSIZE, {file})):
    resource.setrlimit(what, (most, most))
exec(compile(sys.stdin.read(), "answer", "exec"), {{"__name__": "answer"}})
print({word!r})
"""


def passes(program: str, *, seconds: int = SECONDS, memory: int = BYTES) -> float:
    """1 where a program of tests runs to its end, else 0.

    It has an empty folder and environment, and its process and what it started are ended after `seconds`.

    Raises
    ------
    OSError
        The system knows no such limits.
    """
    if os.name != "posix":
        raise OSError("code is run with limits that only Linux and macOS have; leave humaneval out here")
    word = secrets.token_hex(16)  # an answer that ends the process is not one that passed the tests
    text = LIMITED.format(seconds=seconds, memory=memory, file=FILE_BYTES, word=word)
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile() as said, tempfile.TemporaryFile() as asked:
        asked.write(program.encode(errors="replace"))
        asked.seek(0)
        process = subprocess.Popen(
            [sys.executable, "-I", "-c", text], cwd=folder, env={}, stdin=asked, stdout=said,
            stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        try:
            process.wait(timeout=2 * seconds)
        except subprocess.TimeoutExpired:
            return 0.0
        finally:
            _end(process)
        said.seek(0)
        return float(said.read().rstrip().endswith(word.encode()))


def _end(process: subprocess.Popen) -> None:
    """End a process and all that it started."""
    with contextlib.suppress(ProcessLookupError):  # all of it has ended
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
