#!/usr/bin/env bash
# Hostile peers and failing systems against a Hilum of its own, beside good clients; `run.sh --help` lists the options.
# Needs `make build` and `docker/setup.sh clients`; the full disk and nothing else needs root (it is left out without).
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
ulimit -n "$(ulimit -H -n)"
exec "$root/.build-tools/venv/bin/python" "$root/conformance/hostile/run.py" "$@"
