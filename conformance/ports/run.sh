#!/usr/bin/env bash
# The suites that listen on ports, ROUNDS times in a row, while another process opens ports at random: a port that is
# looked for and bound later is soon somebody else's. Fails with the first round that fails; the log of each round is kept.
set -euo pipefail
cd "$(dirname "$0")/../.."
rounds=${1:-10}
# In the parts in which `make test` runs them.
parts=('HTTPSupportTests|OutboundAdapterTests|DIMSEAdapterTests|MLLPAdapterTests' 'JourneyTests|PostgreSQLOverTLSTests|ServerTests')
[ $# -lt 2 ] || parts=("$2")
logs=$(mktemp -d)
mkfifo "$logs/end"
python3 conformance/ports/churn.py <"$logs/end" >"$logs/churn" &
churn=$!
exec 7>"$logs/end"
trap 'exec 7>&-; wait "$churn" || true' EXIT
for ((round = 1; round <= rounds; round++)); do
    begin=$SECONDS
    failed=
    for part in "${parts[@]}"; do
        docker/with-postgres.sh swift test -c release --skip-build --filter "$part" >>"$logs/$round" 2>&1 || failed=yes
    done
    if [ -n "$failed" ]; then
        echo "round $round of $rounds failed; $(cat "$logs/churn"); see $logs/$round"
        grep -E 'recorded an issue|error:' "$logs/$round" | head -20
        exit 1
    fi
    echo "round $round of $rounds passed in $((SECONDS - begin)) s"
done
exec 7>&-
wait "$churn"
cat "$logs/churn"
trap - EXIT
rm -r "$logs"
