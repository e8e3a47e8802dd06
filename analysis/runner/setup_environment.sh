# Sourced by run_all.sh and tests/run.sh (bash 3.2 or later): makes .venv and keeps it as the pins say.
#
#   setup_environment ROOT EXTRA     EXTRA is "" or of pyproject.toml, several with commas; afterwards $environment_python is the interpreter
#   check_extra ROOT EXTRA           stops, with those that there are, where pyproject.toml has no such extra
#
# Nothing is installed while requirements.txt, constraints.txt and pyproject.toml are what they were at the last
# successful install. The variable PYTHON chooses the interpreter that makes a new environment.

stop() {
    printf '%s\n' "$@" >&2
    exit 1
}

check_extra() {
    local known one
    known="$(awk '/^\[/ {inside = ($0 == "[project.optional-dependencies]")} inside && / = \[/ {print $1}' "$1/pyproject.toml")"
    for one in $known; do
        [ "$one" != "$2" ] || return 0
    done
    echo "Refused: --with '$2': there is no such extra; known:" $known >&2
    exit 2
}

find_python() {
    local candidate without_ensurepip=""
    for candidate in ${PYTHON:-} python3 python python3.14 python3.13 python3.12 python3.11; do
        "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 || continue
        if "$candidate" -c 'import ensurepip, venv' >/dev/null 2>&1; then
            found_python="$candidate"
            return
        fi
        without_ensurepip="$candidate"
    done
    if [ -n "$without_ensurepip" ]; then
        stop "$without_ensurepip is recent enough but cannot make a virtual environment (no module ensurepip)." \
            "On Debian and Ubuntu: sudo apt install python3-venv"
    fi
    stop "This project needs Python 3.11 or later; none was found as python3, python or python3.11 to python3.14." \
        "python3 is: $(command -v python3 || echo absent) $(python3 --version 2>&1 || true)" \
        "Install one (https://www.python.org/downloads/), or name it: PYTHON=/path/to/python3.12 $0"
}

environment_works() {
    "$environment_python" -c 'import sys, pip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

# What is installed depends on these files, on where the checkout lies (editable install) and on the interpreter.
environment_stamp() {
    (
        cd "$root"
        "$environment_python" - <<'PYTHON'
import hashlib, os, sys

names = ("requirements.txt", "constraints.txt", "pyproject.toml")
parts = [os.getcwd().encode(), sys.version.encode(), *(open(name, "rb").read() for name in names)]
print(hashlib.sha256(b"\0".join(parts)).hexdigest())
PYTHON
    )
}

installed() {
    local stamp_file="$root/.venv/.installed-${1:-base}"
    [ -f "$stamp_file" ] && [ "$(cat "$stamp_file")" = "$(environment_stamp)" ]
}

install_packages() {
    local extra="$1" log="$root/.venv/install.log" target="."
    [ -z "$extra" ] || target=".[$extra]"
    echo "Installing the packages of requirements.txt${extra:+ and the $extra extra} into .venv (minutes, once) ..."
    if ! (cd "$root" && "$environment_python" -m pip install --disable-pip-version-check \
        -r requirements.txt -c constraints.txt -e "$target") >"$log" 2>&1; then
        tail -n 25 "$log" >&2
        stop "" "The installation failed; the end of its log is above, all of it in $log." \
            "Usual causes: no network, a full disk ($(df -h "$root" | awk 'NR == 2 {print $4}') free, about 3 GB" \
            "needed), or a platform for which torch has no wheel. Nothing is lost: run the same command again."
    fi
    environment_stamp >"$root/.venv/.installed-base"
    [ -z "$extra" ] || environment_stamp >"$root/.venv/.installed-$extra"
}

setup_environment() {
    root="$1"
    environment_python="$root/.venv/bin/python"
    # A second run that starts meanwhile waits here. The lock is on this file and ends with the process.
    if command -v flock >/dev/null 2>&1; then
        exec 9<"$root/analysis/runner/setup_environment.sh"
        flock -n 9 || { echo "Another run is setting up .venv; waiting for it ..."; flock 9; }
    fi
    if ! environment_works; then
        find_python
        [ ! -e "$root/.venv" ] || echo "The environment in .venv does not work or is too old: making it anew."
        echo "Making .venv with $("$found_python" --version 2>&1) ..."
        "$found_python" -m venv --clear "$root/.venv" ||
            stop "Could not make $root/.venv with $found_python (see above)."
        environment_works || stop "$root/.venv was made with $found_python but its pip does not start."
    fi
    installed "$2" || install_packages "$2"
    exec 9<&-

    export OMP_WAIT_POLICY=passive       # torch's threads otherwise busy-wait: many times slower on shared cores
    export TOKENIZERS_PARALLELISM="${TOKENIZERS_PARALLELISM:-true}"
    export SOURCE_DATE_EPOCH=1728691200  # 2024-10-12: the same figure is the same file on every day
}
