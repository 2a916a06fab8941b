#!/usr/bin/env bash
# Runs the tests that are built, in parts one after the other. All tests of one process would begin at once: beside those
# that compute for long or write much, a test of a connection waits so long for its turn that the times which it is about
# are over. So those of one kind are a part, and few cases of a part are under way at a time: four for each processor,
# unless the environment says another width (Swift 6.3 reads it, an older one begins all at once). A test's time limit
# counts from its turn. With words, those go to `swift test`, as one part.
#
# Suites that fail in a part run once more by themselves, three at most in a run: one that passes then is not steady. It is
# named in a line that begins with `unsteady:`, which `.ci/run` repeats at its end, and is mended like any other defect, but
# a machine that was busy elsewhere does not hold back what is sound.
#
#   conformance/tests.sh [--filter SUITE]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

width=SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH
export "$width=${!width:-$((4 * $(getconf _NPROCESSORS_ONLN)))}"

run() { swift test -c release --skip-build "$@"; }
[ $# -eq 0 ] || { run "$@"; exit; }

results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT
again=3

# The suites of the last part in which a test failed, as `Target.Suite`, a line each; none where the process ended before
# it had told its results.
failing() {
    awk '/<testcase /{ split($0, words, "\""); suite = words[2] } /<failure/{ print suite }' \
        "$results/part-swift-testing.xml" 2>/dev/null | sort -u
}

# part ARGUMENTS...: a part of the tests, and what failed in it once more.
part() {
    rm -f "$results"/*
    run --xunit-output "$results/part.xml" "$@" && return
    local suites suite names
    mapfile -t suites < <(failing)
    [ ${#suites[@]} -gt 0 ] && [ ${#suites[@]} -le "$again" ] || return 1
    again=$((again - ${#suites[@]}))
    for suite in "${suites[@]}"; do
        printf '\n%s failed; once more by itself\n' "$suite"
        # A suite within another is `Target.Outer/Inner`.
        names=${suite#*.}
        run --filter "^${suite%%.*}\\.${names//.//}/" | tee "$results/again" || return 1
        grep -q 'Test run with [1-9]' "$results/again" || return 1
        printf 'unsteady: %s failed beside others and passed by itself\n' "$suite"
    done
}

pure='(Tidy|Basics|Cryptography|DICOMData|DICOMNetwork|DICOMPixels|DICOMRendering|PixelCodecs|HL7v2|FHIRModel|FHIRSearch'
pure+='|Vector|Access|HL7Translation|DICOMTranslation)Tests\.'
network='(Admission|MLLPAdapter|DIMSEAdapter|OutboundAdapter|HTTPSupport|SMARTAPI|OpsAPI)Tests\.'
journeys='JourneyTests\.'
stores='(SQLStore|Contract|Workflow)Tests\.'
failed=0
for names in "$pure" "$network" "$journeys" "$stores"; do part --filter "^$names" || failed=1; done
part --skip "^$pure" --skip "^$network" --skip "^$journeys" --skip "^$stores" || failed=1
exit "$failed"
