# Python environments with the AWS SDK of today, and with that of June 2017.

VENVS="${LONGSHORE_VENVS:-${XDG_CACHE_HOME:-$HOME/.cache}/longshore/venvs}"

# ensure_venv NAME: makes the environment of tests/requirements-NAME.txt, if it is not there yet,
# and sets VENV to its folder. Other requirements, or another Python, make another environment.
ensure_venv() {
    local name=$1 requirements="tests/requirements-$1.txt"
    find_python
    VENV="$VENVS/$name-$({ "$PYTHON" --version && cat "$requirements" tests/botocore_1_5/*.py; } | cksum | cut -d' ' -f1)"
    [ ! -e "$VENV/complete" ] || return 0
    mkdir -p "$VENVS"
    exec 9>"$VENVS/lock"
    flock 9
    [ -e "$VENV/complete" ] || make_venv "$name" "$requirements"
    exec 9>&-
}

make_venv() {
    local name=$1 requirements=$2 packages
    say "    making the Python environment $VENV"
    rm -rf "$VENV"
    "$PYTHON" -m venv "$VENV" ||
        fail "python3 -m venv did not work" "Try by hand: $PYTHON -m venv $VENV"
    "$VENV/bin/python" -m pip install --quiet --disable-pip-version-check --requirement "$requirements" ||
        fail "pip could not install $requirements" "Is the Python package index reachable? See above."
    if [ "$name" = 2017 ]; then
        packages=$("$VENV/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
        cp tests/botocore_1_5/names_of_old.py "$packages/"
        say 'import names_of_old' >"$packages/names_of_old.pth"
    fi
    touch "$VENV/complete"
}

# Sets PYTHON to a Python that can make environments. Debian ships that ability in a package.
find_python() {
    for PYTHON in python3 /usr/bin/python3; do
        "$PYTHON" -c 'import ensurepip, venv, sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null && return
    done
    apt_install python3 python3-venv
    PYTHON=/usr/bin/python3
}
