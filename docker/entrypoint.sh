#!/bin/sh
# `serve` with an empty volume makes the folder first; anything else goes to hilum as it is.
set -eu
home=${HILUM_HOME:-/var/lib/hilum}
# libpq's own variable: the password stands in no file of ours and in no command line.
if [ -n "${HILUM_POSTGRES_PASSWORD_FILE:-}" ]; then
    PGPASSWORD=$(cat "$HILUM_POSTGRES_PASSWORD_FILE")
    export PGPASSWORD
fi
if [ "${1:-serve}" = serve ]; then
    if [ ! -e "$home/hilum.yaml" ]; then
        if [ -n "${HILUM_POSTGRES:-}" ]; then
            hilum init "$home" --postgres "$HILUM_POSTGRES"
        else
            hilum init "$home"
        fi
        # Inside a container loopback reaches nobody: listen on the container's own address, which the compose files
        # publish on the host's loopback only.
        sed -i 's/^\( *host:\) 127\.0\.0\.1$/\1 0.0.0.0/' "$home/hilum.yaml"
    fi
    exec hilum serve "$home"
fi
exec hilum "$@"
