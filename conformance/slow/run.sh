#!/usr/bin/env bash
# Slow peers on every door of a Hilum of its own; `run.sh --help` lists the options. Needs `make build` and
# `docker/setup.sh clients`.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
ulimit -n "$(ulimit -H -n)"
exec "$root/.build-tools/venv/bin/python" "$root/conformance/slow/run.py" "$@"
