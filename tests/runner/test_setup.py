"""setup_environment.sh with a pretended Python: nothing is installed."""

import shutil
import subprocess
import sys

import pytest

from analysis.paths import PACKAGE, ROOT

TOOLS = ("bash", "dirname", "cat", "tail", "df", "awk", "env", "mkdir", "cp", "chmod")

# Answers like Python, writes down every `pip install`, fails it if told to, makes environments of itself.
PYTHON = """#!/bin/bash
case "$*" in
  *"-m pip install"*) echo "$@" >>"$CALLS"; echo "ERROR: no wheel for torch"; exit "${INSTALL_CODE:-0}" ;;
  *"-m venv"*) for place; do :; done; mkdir -p "$place/bin"; cp "$0" "$place/bin/python"; exit 0 ;;
  *--version*) echo "Python 3.12.0" ;;
  *"import sys, pip"* | *"import ensurepip"*) exit 0 ;;
  *) exec REAL "$@" ;;
esac
"""


@pytest.fixture
def project(tmp_path):
    """A checkout with the two scripts' shared part, and a PATH on which python3 is the pretended one."""
    for name in ("analysis/runner", "bin"):
        (tmp_path / name).mkdir(parents=True)
    shutil.copy(PACKAGE / "runner" / "setup_environment.sh", tmp_path / "analysis" / "runner")
    for name in ("requirements.txt", "constraints.txt", "pyproject.toml"):
        (tmp_path / name).write_text(name)
    for tool in TOOLS:
        (tmp_path / "bin" / tool).symlink_to(shutil.which(tool))
    python = tmp_path / "bin" / "python3"
    python.write_text(PYTHON.replace("REAL", sys.executable))
    python.chmod(0o755)
    return tmp_path


def setup(project, extra="", install_code=0):
    """Run it as run_all.sh does; the finished process, and how many installations there were so far."""
    script = (
        '. "$1/analysis/runner/setup_environment.sh"; setup_environment "$1" "$2"; echo "ready $environment_python"'
    )
    calls = project / "calls"
    environment = {"PATH": str(project / "bin"), "CALLS": str(calls), "INSTALL_CODE": str(install_code)}
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script, "run_all.sh", str(project), extra],
        env=environment, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    return done, len(calls.read_text().splitlines()) if calls.exists() else 0


def test_makes_the_environment_once(project):
    first, installs = setup(project)
    assert (first.returncode, installs) == (0, 1), first.stderr
    assert first.stdout.endswith(f"ready {project}/.venv/bin/python\n")
    again, installs = setup(project)
    assert (again.returncode, installs) == (0, 1)
    assert again.stdout.startswith("ready")


@pytest.mark.parametrize("name", ["requirements.txt", "constraints.txt", "pyproject.toml"])
def test_installs_again_when_the_pins_change(project, name):
    setup(project)
    (project / name).write_text("changed")
    assert setup(project)[1] == 2


def test_the_tests_tools_are_added_once_and_serve_both(project):
    setup(project)
    assert setup(project, "dev")[1] == 2
    assert setup(project)[1] == setup(project, "dev")[1] == 2
    assert ".[dev]" in (project / "calls").read_text()
    assert "-c constraints.txt" in (project / "calls").read_text()


def test_a_failed_installation_shows_its_log_and_is_tried_again(project):
    failed, _ = setup(project, install_code=1)
    assert failed.returncode == 1
    assert "no wheel for torch" in failed.stderr
    assert "The installation failed" in failed.stderr
    assert "ready" not in failed.stdout
    after, installs = setup(project)
    assert (after.returncode, installs) == (0, 2)


def test_a_broken_environment_is_made_anew(project):
    setup(project)
    (project / ".venv" / "bin" / "python").unlink()
    done, _ = setup(project)
    assert done.returncode == 0
    assert "making it anew" in done.stdout


def test_without_a_recent_python_it_says_what_is_needed(project):
    python = project / "bin" / "python3"
    python.write_text('#!/bin/bash\n[ "$1" = --version ] && echo "Python 3.9.2"\nexit 1\n')
    done, _ = setup(project)
    assert done.returncode == 1
    assert "needs Python 3.11 or later" in done.stderr
    assert "Python 3.9.2" in done.stderr


def test_without_ensurepip_it_names_the_package(project):
    python = project / "bin" / "python3"
    text = python.read_text().replace('| *"import ensurepip"*) exit 0', ') exit 0 ;;\n  *"import ensurepip"*) exit 1')
    python.write_text(text)
    done, _ = setup(project)
    assert done.returncode == 1
    assert "python3-venv" in done.stderr


def run_all(project, *arguments):
    """run_all.sh in a checkout that has the extras of this project and a runner that says what it was given."""
    shutil.copy(ROOT / "run_all.sh", project)
    shutil.copy(ROOT / "pyproject.toml", project)
    (project / "analysis" / "runner" / "__main__.py").write_text("import sys; print('given', sys.argv[1:])")
    environment = {"PATH": str(project / "bin"), "CALLS": str(project / "calls")}
    return subprocess.run(
        ["bash", "run_all.sh", *arguments], cwd=project, env=environment, capture_output=True, text=True, timeout=60
    )


def test_an_extra_is_added_once_and_the_runner_does_not_see_it(project):
    for _ in range(2):
        done = run_all(project, "--only", "05", "--with", "explore", "--force")
        assert done.returncode == 0, done.stderr
        assert done.stdout.endswith("given ['--only', '05', '--force']\n")
    (call,) = (project / "calls").read_text().splitlines()
    assert call.endswith("-c constraints.txt -e .[explore]")
    assert run_all(project, "--with=explore").stdout == "given []\n"
    assert len((project / "calls").read_text().splitlines()) == 1


@pytest.mark.parametrize("name", ["exlore", "", "plore", "dev embed"])
def test_an_unknown_extra_is_refused_with_those_known(project, name):
    done = run_all(project, "--with", name)
    assert done.returncode == 2
    assert (
        done.stderr
        == f"Refused: --with '{name}': there is no such extra; known: dev embed models benchmarks explore cluster\n"
    )
    assert not (project / ".venv").exists()


def test_two_at_once_install_once(project):
    if shutil.which("flock") is None:
        pytest.skip("no flock here")
    (project / "bin" / "flock").symlink_to(shutil.which("flock"))
    script = '. "$1/analysis/runner/setup_environment.sh"; setup_environment "$1" ""'
    environment = {"PATH": str(project / "bin"), "CALLS": str(project / "calls")}
    command = ["bash", "-euo", "pipefail", "-c", script, "run_all.sh", str(project)]
    both = [subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL) for _ in range(2)]
    assert [one.wait(60) for one in both] == [0, 0]
    assert len((project / "calls").read_text().splitlines()) == 1


@pytest.mark.parametrize("name", ["run_all.sh", "tests/run.sh", ".ci/run", "analysis/runner/setup_environment.sh"])
def test_scripts_are_sound(name):
    script = ROOT / name
    subprocess.run(["bash", "-n", str(script)], check=True)
    assert "\r" not in script.read_text()
    if name != "analysis/runner/setup_environment.sh":
        assert script.stat().st_mode & 0o111, f"{name} is not executable"
