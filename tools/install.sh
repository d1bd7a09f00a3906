#!/bin/sh
# Makes .venv from requirements.lock, with nothing but Python >= 3.11 and pip >= 22.3; usage: tools/install.sh PYTHON
# Interrupted anywhere it is simply called again: an unfinished environment is thrown away first.
set -eu
python=$1
unfinished=.venv/unfinished

if [ -e "$unfinished" ] || [ -d .venv ] && ! .venv/bin/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    echo "install: .venv is unfinished or too old, starting again"
    rm -rf .venv
fi
if [ ! -d .venv ]; then
    echo "install: making .venv with $("$python" --version)"
    mkdir .venv && : > "$unfinished"
    "$python" -m venv --without-pip .venv
fi
: > "$unfinished"
quiet="--disable-pip-version-check --no-input"
# The pip of the lock comes from the one that is there: Python's own, or where Debian splits that off, the one outside.
.venv/bin/python -m pip --version >/dev/null 2>&1 || .venv/bin/python -m ensurepip >/dev/null 2>&1 || :
if .venv/bin/python -m pip --version >/dev/null 2>&1; then
    .venv/bin/python -m pip $quiet install -qq --require-hashes -r tools/pip.lock
else
    "$python" -m pip $quiet --python .venv/bin/python install -qq --require-hashes -r tools/pip.lock
fi
pip() { .venv/bin/python -m pip $quiet "$@"; }
echo "install: packages from requirements.lock (a minute or two the first time)"
# The lock is whole: without --no-deps an older pip looks at releases that are newer than the lock, and refuses.
pip install -qq --no-deps --require-hashes -r requirements.lock
pip install -qq --no-deps --no-build-isolation -e .
pip check >/dev/null || { pip check; exit 1; }
rm -f "$unfinished"
