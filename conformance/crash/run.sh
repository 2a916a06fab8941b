#!/usr/bin/env bash
# kill -9 under mixed load, on both databases; `run.sh --help` lists the options. Needs `make build` and
# `docker/setup.sh clients`; PostgreSQL is one of its own in a temporary folder.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
run=("$root/.build-tools/venv/bin/python" "$root/conformance/crash/run.py" "$@")
case " $* " in
    *" --help "* | *" -h "* | *"--database sqlite"* | *"--database=sqlite"*) exec "${run[@]}" ;;
    *) exec "$root/docker/with-postgres.sh" "${run[@]}" ;;
esac
