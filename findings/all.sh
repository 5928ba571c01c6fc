#!/usr/bin/env bash
# Runs all findings one after the other, and says of each whether it is as it was. Exits with 1 when one has changed.
set -uo pipefail
cd "$(dirname "$0")"
FINDINGS_ROOT=$(mktemp -d) # of those that need other engines; made by the first of them
export FINDINGS_ROOT
trap 'rm -rf "$FINDINGS_ROOT" "$FINDINGS_ROOT.log"' EXIT
changed=0
for finding in *.sh; do
    [ "$finding" = all.sh ] && continue
    output=$(bash "$finding" 2>&1)
    case $? in
        0) word="as it was" ;;
        77) word="not tried here" ;;
        *) word="CHANGED" changed=1 ;;
    esac
    echo "== ${finding%.sh}: $word"
    echo "$output" | sed 's/^/   /'
done
exit "$changed"
