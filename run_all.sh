#!/usr/bin/env bash
# Sets up .venv if need be, runs every notebook of a profile and renders reports/index.html. See ./run_all.sh --help
# --with EXTRA, which may be repeated, first adds an extra of pyproject.toml to .venv, such as explore.
set -euo pipefail
root="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)"
. "$root/analysis/runner/setup_environment.sh"
extras=() arguments=()
while [ $# -gt 0 ]; do
    case "$1" in
        --with) extras+=("${2-}") && shift ;;
        --with=*) extras+=("${1#--with=}") ;;
        *) arguments+=("$1") ;;
    esac
    [ $# -eq 0 ] || shift
done
case " ${arguments[*]-} " in
    *" -h "* | *" --help "*) [ ! -x "$root/.venv/bin/python" ] || exec "$root/.venv/bin/python" -m analysis.runner "${arguments[@]}" ;;
esac
for extra in ${extras[@]+"${extras[@]}"}; do check_extra "$root" "$extra"; done
[ ${#extras[@]} -gt 0 ] || extras=("")
for extra in "${extras[@]}"; do setup_environment "$root" "$extra"; done
exec "$environment_python" -m analysis.runner ${arguments[@]+"${arguments[@]}"}
