#!/bin/sh
# Makes .venv from requirements.lock, with nothing but Python >= 3.11 and pip; usage: tools/install.sh PYTHON
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
    # Debian splits off ensurepip: then the pip outside works for the environment
    "$python" -m venv .venv >/dev/null 2>&1 || {
        "$python" -m venv --without-pip .venv
        "$python" -m pip --python .venv/bin/python install --quiet pip
    }
fi
: > "$unfinished"
pip() { .venv/bin/python -m pip --disable-pip-version-check --no-input "$@"; }
echo "install: packages from requirements.lock (a minute or two the first time)"
pip install -qq --require-hashes -r requirements.lock
pip install -qq --no-deps --no-build-isolation -e .
rm -f "$unfinished"
