#!/usr/bin/env bash
# Runs the tests that are built, in parts one after the other. All tests of one process begin at once: beside those that
# compute for long or write much, a test of a connection waits so long for its turn that the times which it is about are
# over. With words, those go to `swift test`, as one part.
#
#   conformance/tests.sh [--filter SUITE]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

run() { swift test -c release --skip-build "$@"; }
[ $# -eq 0 ] || { run "$@"; exit; }

pure='(Tidy|Basics|Cryptography|DICOMData|DICOMNetwork|DICOMPixels|PixelCodecs|HL7v2|FHIRModel|FHIRSearch|Vector|Access'
pure+='|HL7Translation|DICOMTranslation)Tests\.'
network='(Admission|MLLPAdapter|DIMSEAdapter|OutboundAdapter|HTTPSupport|SMARTAPI|OpsAPI)Tests\.'
journeys='JourneyTests\.'
stores='(SQLStore|Contract)Tests\.'
failed=0
for part in "$pure" "$network" "$journeys" "$stores"; do run --filter "^$part" || failed=1; done
run --skip "^$pure" --skip "^$network" --skip "^$journeys" --skip "^$stores" || failed=1
exit "$failed"
