#!/usr/bin/env bash
# Sets up .venv if need be, runs every notebook of a profile and renders reports/index.html. See ./run_all.sh --help
set -euo pipefail
root="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)"
. "$root/analysis/runner/setup_environment.sh"
setup_environment "$root" ""
exec "$environment_python" -m analysis.runner "$@"
