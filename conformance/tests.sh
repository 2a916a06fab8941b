#!/usr/bin/env bash
# Runs the tests that are built, in parts one after the other. All tests of one process would begin at once: beside those
# that compute for long or write much, a test of a connection waits so long for its turn that the times which it is about
# are over. So those of one kind are a part, and few cases of a part are under way at a time: four for each processor,
# unless the environment says another width (Swift 6.3 reads it, an older one begins all at once). A test's time limit
# counts from its turn. With words, those go to `swift test`, as one part.
#
#   conformance/tests.sh [--filter SUITE]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

width=SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH
export "$width=${!width:-$((4 * $(getconf _NPROCESSORS_ONLN)))}"

run() { swift test -c release --skip-build "$@"; }
[ $# -eq 0 ] || { run "$@"; exit; }

pure='(Tidy|Basics|Cryptography|DICOMData|DICOMNetwork|DICOMPixels|DICOMRendering|PixelCodecs|HL7v2|FHIRModel|FHIRSearch'
pure+='|Vector|Access|HL7Translation|DICOMTranslation)Tests\.'
network='(Admission|MLLPAdapter|DIMSEAdapter|OutboundAdapter|HTTPSupport|SMARTAPI|OpsAPI)Tests\.'
journeys='JourneyTests\.'
stores='(SQLStore|Contract|Workflow)Tests\.'
failed=0
for part in "$pure" "$network" "$journeys" "$stores"; do run --filter "^$part" || failed=1; done
run --skip "^$pure" --skip "^$network" --skip "^$journeys" --skip "^$stores" || failed=1
exit "$failed"
