#!/usr/bin/env bash
# libFuzzer on our own decoders, each for some time, seeded with the vectors, with frames of pydicom's files and with what
# was found before. What is found stands in .build-tools/fuzz/TARGET/ and is kept as a vector (conformance/vectors/fuzz).
#
#   conformance/fuzz/run.sh [--seconds 1800] [--jobs 2] [TARGET...]
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
out=$root/.build-tools/fuzz
seconds=1800
jobs=2
targets=()
while [ $# -gt 0 ]; do
    case $1 in
        --seconds) seconds=$2; shift 2 ;;
        --jobs) jobs=$2; shift 2 ;;
        *) targets+=("$1"); shift ;;
    esac
done
[ ${#targets[@]} -gt 0 ] || targets=(rle jpeg-lossless jpeg-sequential jpeg-ls jpeg-2000 dicom dicom-json hl7 json)
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

# One decoder; its closing lines and whatever it found.
fuzz_one() {
    local target=$1 folder=$out/$1
    mkdir -p "$folder/corpus" "$folder/found"
    HILUM_FUZZ=$target SWIFT_BACKTRACE=enable=no "$out/fuzz" "$folder/corpus" "$out/seeds/$target" \
        -max_total_time="$seconds" -timeout=5 -rss_limit_mb=1024 -max_len=65536 -artifact_prefix="$folder/found/" \
        -print_final_stats=1 >"$folder/log" 2>&1 || true
    printf '%-16s %s runs, coverage %s, found: %s\n' "$target" \
        "$(sed -n 's/^stat::number_of_executed_units: *//p' "$folder/log")" \
        "$(grep -o 'cov: [0-9]*' "$folder/log" | tail -1 | cut -c6-)" \
        "$(find "$folder/found" -type f | wc -l)"
}
export -f fuzz_one
export out seconds
printf '%s\n' "${targets[@]}" | xargs -P "$jobs" -I{} bash -c 'fuzz_one {}'
found=$(find "$out"/*/found -type f | wc -l)
printf '%s found\n' "$found"
[ "$found" -eq 0 ]
