#!/usr/bin/env bash
# Sets up .venv with the test tools if need be, checks lint and format, and runs the tests.
# Arguments go to pytest:  tests/run.sh tests/methods -k statistics
# Without any, the files are shared out over the cores, four at most: whole files, as the tests of one share what is costly.
set -euo pipefail
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)"
. "$root/analysis/runner/setup_environment.sh"
setup_environment "$root" "dev,explore"
cd "$root"
export OMP_NUM_THREADS="${OMP_NUM_THREADS:-1}" # the tests' models are too small to gain from a second thread
"$environment_python" -m ruff check --quiet .
"$environment_python" -m ruff format --quiet --check . || stop "Not formatted; run: .venv/bin/ruff format ."
[ $# -gt 0 ] || set -- --numprocesses auto --maxprocesses 4 --dist loadfile
exec "$environment_python" -m pytest "$@"
