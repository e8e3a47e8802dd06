"""Runs one notebook in a kernel through papermill and says on the console where it is."""

import re
import shutil
import sys
import threading
import time
from pathlib import Path

from filelock import FileLock
from papermill import execute_notebook
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import NBClientEngine, papermill_engines
from papermill.log import logger

from analysis.paths import RESULTS
from analysis.runner.console import printable

PROGRESS_BAR = re.compile(r"(\d+%\|)|(\d+(\.\d+)?(it|s|row|rows|run|runs|cell|tok)/s)|(\[\d+:\d\d)")
HEARTBEAT = 60  # seconds between lines where the console is a file
QUIET_KERNEL = [
    "--IPKernelApp.log_level=CRITICAL",
    "--HistoryManager.enabled=False",
]  # at its end it is interrupted, and says so as an error


def without_progress(text: str) -> str:
    """A stream's text as a terminal would leave it: overwritten and progress-bar lines are taken out."""
    lines = [line.rsplit("\r", 1)[-1] for line in text.replace("\r\n", "\n").split("\n")]
    kept = [line for line in lines if not PROGRESS_BAR.search(line)]
    return "\n".join(kept) if any(line.strip() for line in kept) else ""


class Watcher:
    """Console lines of one notebook: rewritten every second on a terminal, one a minute elsewhere."""

    def __init__(self, title: str, live: bool | None = None):
        self.title = title
        self.live = sys.stdout.isatty() if live is None else live
        self.started = time.monotonic()
        self.where, self.detail, self.heading = "starting", "", ""
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._tick, daemon=True)
        self._printing = threading.Lock()

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()
        if self.live:
            self._print("", end="")

    def cell(self, index: int, total: int, source: str, is_code: bool) -> None:
        """A cell starts; the heading above a code cell names it."""
        heading = re.search(r"^#+\s+(.+)$", source, flags=re.MULTILINE)
        if heading and not is_code:
            self.heading = heading[1].strip()
        self.where, self.detail = f"cell {index + 1}/{total} {self.heading}".rstrip(), ""

    def stream(self, name: str, text: str) -> None:
        """Output arrives: a progress bar becomes part of the status, a warning its own line."""
        if name != "stderr":
            return
        for piece in re.split(r"[\r\n]+", text):
            if PROGRESS_BAR.search(piece):
                self.detail = re.sub(r"\|[^|]*\|", "", piece.strip())
            elif piece.strip():
                self._print(f"  {self.title} | {piece.rstrip()}")

    def status(self) -> str:
        """Where the notebook is, and since when."""
        seconds = time.monotonic() - self.started
        return "  ".join(part for part in (f"  {self.title}", self.where, f"{seconds:.0f} s", self.detail) if part)

    def _tick(self) -> None:
        while not self._stop.wait(1 if self.live else HEARTBEAT):
            self._print(self.status(), end="" if self.live else "\n")

    def _print(self, text: str, end: str = "\n") -> None:
        text = printable(text)
        with self._printing:
            if self.live:
                width = shutil.get_terminal_size().columns
                text = f"\r\033[K{text[: width - 1] if end == '' else text}"
            print(text, end=end, flush=True)


class _Client(PapermillNotebookClient):
    """papermill's client that tells a watcher about cells and streams."""

    def __init__(self, nb_man, watcher: Watcher, **options):
        super().__init__(nb_man, **options)
        self.watcher = watcher

    def execute_cell(self, cell, cell_index, **options):
        self.watcher.cell(cell_index, len(self.nb.cells), cell.source, cell.cell_type == "code")
        return super().execute_cell(cell, cell_index, **options)

    def process_message(self, message, *arguments, **options):
        if message["msg_type"] == "stream":
            self.watcher.stream(message["content"]["name"], message["content"]["text"])
        return super().process_message(message, *arguments, **options)

    def papermill_execute_cells(self):
        try:
            super().papermill_execute_cells()
        except BaseException:
            self.shutdown_kernel = "immediate"  # interrupted: the kernel is in the middle of something
            raise

    def create_kernel_manager(self):
        manager = super().create_kernel_manager()
        # This interpreter, whatever kernel called python3 the user may have registered.
        manager.kernel_spec.argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        return manager

    def start_new_kernel(self, **options):
        # Two kernels that start at once may be given the same port: one start at a time, on this machine.
        RESULTS.mkdir(parents=True, exist_ok=True)
        self._starting = FileLock(RESULTS / "kernel-start.lock")
        self._starting.acquire(timeout=300)
        try:
            super().start_new_kernel(**options)
        except BaseException:
            self._starting.release()
            raise

    def start_new_kernel_client(self):
        try:
            return super().start_new_kernel_client()
        finally:
            self._starting.release()


class _Engine(NBClientEngine):
    @classmethod
    def execute_managed_notebook(cls, nb_man, kernel_name, watcher=None, environment=None, start_timeout=60, **_):
        client = _Client(
            nb_man, watcher, kernel_name=kernel_name, startup_timeout=start_timeout, timeout=None, log=logger,
            extra_arguments=QUIET_KERNEL,
        )  # fmt: skip
        return client.execute(env=environment)


papermill_engines.register("analysis", _Engine)


def run_notebook(
    notebook: Path, executed: Path, parameters: dict, watcher: Watcher, environment: dict[str, str]
) -> None:
    """Execute a notebook; what has run so far is always in `executed`.

    Parameters
    ----------
    executed : where the executed copy goes; its folder is made
    environment : variables of the kernel, all of them

    Raises
    ------
    papermill.PapermillExecutionError where a cell fails.
    """
    executed.parent.mkdir(parents=True, exist_ok=True)
    execute_notebook(
        str(notebook), str(executed), parameters=parameters, engine_name="analysis", kernel_name="python3",
        progress_bar=False, cwd=str(notebook.parent), start_timeout=180,
        watcher=watcher, environment=environment,
    )  # fmt: skip
