#!/usr/bin/env bash
# Drives a Hilum of its own with other people's clients; `run.sh --help` lists the options. Needs `make build` and
# `docker/setup.sh clients`.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
exec "$root/.build-tools/venv/bin/python" "$root/conformance/clients/run.py" "$@"
