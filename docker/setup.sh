#!/usr/bin/env bash
# The one list of system packages Hilum needs on Debian 12 or Ubuntu 24.04; used by the Makefile, .ci/run and the
# Dockerfile. It installs only what is missing, starts no service, creates no database cluster, and checks the
# Swift toolchain.
#
#   docker/setup.sh runtime     what the build and the server need
#   docker/setup.sh demo        runtime, and the DICOM commands that the demo prints
#   docker/setup.sh test        demo, and what the tests drive Hilum with
#   docker/setup.sh pixels      runtime, and the codecs that ours are compared with in .build-tools/pixels
#   docker/setup.sh clients     test, the archive and the Python clients (in .build-tools/venv) that drive Hilum
#   docker/setup.sh viewer      clients, and the browser that the viewer is tried in
#   docker/setup.sh bench       test, and what `make bench` compares Hilum with
#   docker/setup.sh list WHAT   prints the packages of WHAT and installs nothing
#
# The four commands of this project: build `make build`, test `make test`, tidy `make tidy`, run `make demo`.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

swift_minimum=6.2
runtime_packages=(
    libssl-dev libpq-dev libsqlite3-dev zlib1g-dev libturbojpeg0-dev libopenjp2-7-dev libcharls-dev
    liblcms2-dev pkg-config curl)
demo_packages=(dcmtk)
test_packages=(postgresql libjwt-dev python3 python3-venv)
clients_packages=(orthanc dicom3tools)
viewer_packages=(chromium chromium-driver)
bench_packages=(nginx wrk orthanc orthanc-dicomweb orthanc-gdcm)

say() { printf 'setup: %s\n' "$*"; }
die() { printf 'setup: %s\n' "$*" >&2; exit 1; }

packages_of() {
    case $1 in
        runtime) printf '%s\n' "${runtime_packages[@]}" ;;
        pixels) printf '%s\n' "${runtime_packages[@]}" python3 python3-venv ;;
        demo) printf '%s\n' "${runtime_packages[@]}" "${demo_packages[@]}" ;;
        test) printf '%s\n' "${runtime_packages[@]}" "${demo_packages[@]}" "${test_packages[@]}" ;;
        clients)
            printf '%s\n' "${runtime_packages[@]}" "${demo_packages[@]}" "${test_packages[@]}" "${clients_packages[@]}"
            ;;
        viewer)
            printf '%s\n' "${runtime_packages[@]}" "${demo_packages[@]}" "${test_packages[@]}" "${clients_packages[@]}" \
                "${viewer_packages[@]}"
            ;;
        bench)
            printf '%s\n' "${runtime_packages[@]}" "${demo_packages[@]}" "${test_packages[@]}" "${bench_packages[@]}"
            ;;
        *) die "unknown set \"$1\": say runtime, demo, test, clients, viewer, pixels, bench or list" ;;
    esac
}

# One clear sentence where Swift is missing or too old; true otherwise.
check_swift() {
    local found
    command -v swift >/dev/null 2>&1 || die "Swift $swift_minimum or newer is needed and 'swift' is not on PATH:\
 install the toolchain from https://www.swift.org/install/linux/ and run this again."
    found=$(swift --version 2>/dev/null | sed -nE 's/.*Swift version ([0-9]+(\.[0-9]+)*).*/\1/p' | head -n 1)
    [ -n "$found" ] || die "'swift --version' does not answer: repair the toolchain at $(command -v swift)\
 (https://www.swift.org/install/linux/) and run this again."
    [ "$(printf '%s\n%s\n' "$swift_minimum" "$found" | sort -V | head -n 1)" = "$swift_minimum" ] ||
        die "Swift $swift_minimum or newer is needed and this one is $found: install a newer toolchain from\
 https://www.swift.org/install/linux/ and run this again."
    swift_found=$found
}

is_installed() { [ "$(dpkg-query -W -f='${Status}' "$1" 2>/dev/null)" = 'install ok installed' ]; }

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null 2>&1; then
        sudo "$@"
    else
        die "installing packages needs root: run 'apt-get install ${missing[*]}' as root and then this again."
    fi
}

# A package must not start its service here. policy-rc.d is Debian's switch for that (101: action forbidden); ours
# lives only while apt-get runs, and one that is already there is left as it is.
policy=/usr/sbin/policy-rc.d
policy_is_ours=no
created_cluster_conf=/etc/postgresql-common/createcluster.conf
cluster_conf_is_changed=no
restore() {
    if [ "$policy_is_ours" = yes ]; then as_root rm -f "$policy"; policy_is_ours=no; fi
    if [ "$cluster_conf_is_changed" = yes ]; then
        as_root sed -i 's/^create_main_cluster = false # by docker\/setup.sh$/#create_main_cluster = true/' \
            "$created_cluster_conf"
        cluster_conf_is_changed=no
    fi
}
trap restore EXIT

apt_install() {
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@" </dev/null >&2
}

install_missing() {
    command -v apt-get >/dev/null 2>&1 ||
        die "these packages are missing and this system has no apt-get: install what corresponds to ${missing[*]}."
    say "installing ${missing[*]}"
    as_root env DEBIAN_FRONTEND=noninteractive apt-get update -q </dev/null >&2
    if [ ! -e "$policy" ]; then
        printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
        policy_is_ours=yes
        as_root chmod 0755 "$policy"
    fi
    if [[ " ${missing[*]} " == *" postgresql "* ]]; then
        # The tests make their own clusters in temporary folders; Debian's would only lie there.
        apt_install postgresql-common
        if grep -q '^#create_main_cluster = true' "$created_cluster_conf" 2>/dev/null; then
            cluster_conf_is_changed=yes
            as_root sed -i 's/^#create_main_cluster = true.*/create_main_cluster = false # by docker\/setup.sh/' \
                "$created_cluster_conf"
        fi
    fi
    apt_install "${missing[@]}"
    restore
}

# Python clients live in a folder of the project, from a pinned list.
install_python_clients() {
    local venv=$root/.build-tools/$1 wanted=$root/conformance/clients/$2
    local stamp=$venv/requirements.sha256 sum
    sum=$(sha256sum <"$wanted")
    if [ "$(cat "$stamp" 2>/dev/null)" = "$sum" ]; then
        say "the Python packages in .build-tools/$1 are there"
        return
    fi
    say "installing Python packages into .build-tools/$1"
    mkdir -p "$root/.build-tools"
    python3 -m venv --clear "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check --no-input --only-binary :all: -r "$wanted" >&2
    printf '%s\n' "$sum" >"$stamp"
}

what=${1:-runtime}
if [ "$what" = list ]; then
    packages_of "${2:-test}"
    exit 0
fi
wanted=$(packages_of "$what")
if [ "${HILUM_SETUP_WITHOUT_SWIFT:-}" != 1 ]; then # the Dockerfile's last stage runs, it does not build
    check_swift
fi
missing=()
for package in $wanted; do
    is_installed "$package" || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
    install_missing
fi
say "Swift ${swift_found:-not asked for}, packages for $what: all there"
case $what in
    clients | viewer) install_python_clients venv requirements.txt ;;
    pixels) install_python_clients pixels pixel-requirements.txt ;;
esac
