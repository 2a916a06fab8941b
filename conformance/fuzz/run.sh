#!/usr/bin/env bash
# libFuzzer on our own decoders, each for some time, seeded with the vectors, with frames of pydicom's files and with what
# was found before. What is found stands in .build-tools/fuzz/TARGET/ and is kept as a vector (conformance/vectors/fuzz).
#
#   conformance/fuzz/run.sh [--seconds 1800] [--jobs 2] [TARGET...]
#   conformance/fuzz/run.sh --minutes 30            all decoders together in half an hour, beside what building takes
#
# Ends with a table, a line for each decoder. 1 where something was found, in this run or before and not yet taken away.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
out=$root/.build-tools/fuzz
seconds=1800
minutes=
jobs=2
targets=()
while [ $# -gt 0 ]; do
    case $1 in
        --seconds) seconds=$2; shift 2 ;;
        --minutes) minutes=$2; shift 2 ;;
        --jobs) jobs=$2; shift 2 ;;
        -*) printf 'unknown option %s: --seconds, --minutes or --jobs, then decoders\n' "$1" >&2; exit 2 ;;
        *) targets+=("$1"); shift ;;
    esac
done
[ ${#targets[@]} -gt 0 ] || targets=(rle jpeg-lossless jpeg-sequential jpeg-ls jpeg-2000 dicom dicom-json hl7 json)
# So many turns of as many at a time as there are jobs.
[ -z "$minutes" ] || seconds=$((minutes * 60 / ((${#targets[@]} + jobs - 1) / jobs)))
mkdir -p "$out/modules"

flags=(-O -swift-version 6 -package-name main -parse-as-library -sanitize=fuzzer -I "$out/modules"
    -enable-upcoming-feature ExistentialAny -enable-upcoming-feature MemberImportVisibility
    -Xcc "-fmodule-map-file=$root/Sources/CLibraries/CZlib/module.modulemap")
objects=()
for module in Foundations/Basics Codecs/DICOMData Codecs/DICOMPixels Codecs/HL7v2 Codecs/FHIRModel; do
    name=${module#*/}
    object=$out/modules/$name.o
    objects+=("$object")
    if [ -e "$object" ] && [ -z "$(find "$root/Sources/$module" -newer "$object" -name '*.swift' -print -quit)" ]; then continue; fi
    printf 'building %s\n' "$name"
    find "$root/Sources/$module" -name '*.swift' -print0 | xargs -0 swiftc "${flags[@]}" -wmo -c -module-name "$name" \
        -emit-module -emit-module-path "$out/modules/$name.swiftmodule" -o "$object"
done
swiftc "${flags[@]}" -module-name Fuzz "$root/conformance/fuzz/Targets.swift" "${objects[@]}" -lz -o "$out/fuzz"
"$root/.build-tools/venv/bin/python" "$root/conformance/fuzz/seeds.py" "$out/seeds"

# A number that libFuzzer tells at its end, by its name; a dash where it told none.
stat_of() {
    local value
    value=$(sed -n "s/^stat::$2: *//p" "$out/$1/log" | tail -1)
    printf '%s' "${value:--}"
}

# One decoder for its time; says when it is done.
fuzz_one() {
    local target=$1 folder=$out/$1
    mkdir -p "$folder/corpus" "$folder/found"
    HILUM_FUZZ=$target SWIFT_BACKTRACE=enable=no "$out/fuzz" "$folder/corpus" "$out/seeds/$target" \
        -max_total_time="$seconds" -timeout=5 -rss_limit_mb=1024 -max_len=65536 -artifact_prefix="$folder/found/" \
        -print_final_stats=1 >"$folder/log" 2>&1 || true
    printf '%s is done\n' "$target" >&2
}

# The table. Coverage is of edges of the whole program; found are files, each an input.
failed=0
table() {
    local row='%-16s %12s %10s %9s %8s %12s %9s %6s\n' target runs found
    printf "$row" decoder runs 'a second' coverage corpus 'slowest, s' 'peak, MB' found
    for target in "${targets[@]}"; do
        runs=$(stat_of "$target" number_of_executed_units)
        found=$(find "$out/$target/found" -type f | wc -l)
        # Without its closing lines it did not run, or was killed.
        if [ "$found" -gt 0 ] || [ "$runs" = - ]; then failed=1; fi
        printf "$row" "$target" "$runs" "$(stat_of "$target" average_exec_per_sec)" \
            "$(grep -o 'cov: [0-9]*' "$out/$target/log" | tail -1 | cut -c6- || true)" \
            "$(find "$out/$target/corpus" -type f | wc -l)" "$(stat_of "$target" slowest_unit_time_sec)" \
            "$(stat_of "$target" peak_rss_mb)" "$found"
    done
}
export -f fuzz_one
export out seconds
printf '%s decoders, %s s each, %s at a time\n' "${#targets[@]}" "$seconds" "$jobs"
printf '%s\n' "${targets[@]}" | xargs -P "$jobs" -I{} bash -c 'fuzz_one {}'
table
exit "$failed"
