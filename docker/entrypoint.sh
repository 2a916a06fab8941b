#!/bin/sh
# `serve` with an empty volume makes the folder first; anything else goes to hilum as it is.
set -eu
home=${HILUM_HOME:-/var/lib/hilum}
if [ "${1:-serve}" = serve ]; then
    if [ ! -e "$home/hilum.yaml" ]; then
        if [ -n "${HILUM_POSTGRES:-}" ]; then
            hilum init "$home" --postgres "$HILUM_POSTGRES"
        else
            hilum init "$home"
        fi
    fi
    exec hilum serve "$home"
fi
exec hilum "$@"
