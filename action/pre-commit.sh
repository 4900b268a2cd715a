#!/usr/bin/env bash
# A hook for git's pre-commit: no key is committed, and no toolpack that is not what was approved.
# CASK_ROOT names the state root, CASK_FAIL_ON=review also refuses what nobody has decided on yet.
set -euo pipefail

root=${CASK_ROOT:-.caskmcp}
root=${root%/}
limit=2
if [ "${CASK_FAIL_ON:-breaking}" = review ]; then limit=1; fi

cd "$(git rev-parse --show-toplevel)"

# What is about to be committed below a place, one path a line.
staged() { git -c core.quotePath=true diff --cached --name-only --diff-filter=d -- "$@"; }

keys=$(staged "$root/state")
if [ -n "$keys" ]; then
    printf 'cask: these hold keys or what only this machine knows, and must not be committed:\n%s\n' "$keys" >&2
    printf '  hint: git rm -r --cached %s/state, and add /%s/state/ to .gitignore\n' "$root" "$root" >&2
    exit 1
fi

# A change of who is trusted is about every toolpack.
if [ -n "$(staged "$root/trust.yaml" "$root/trust" "$root/scopes")" ]; then
    changed=("$root"/toolpacks/*/toolpack.yaml)
else
    changed=()
    for manifest in "$root"/toolpacks/*/toolpack.yaml; do
        if [ -n "$(staged "${manifest%/toolpack.yaml}")" ]; then changed+=("$manifest"); fi
    done
fi

failed=0
for manifest in ${changed[@]+"${changed[@]}"}; do
    [ -f "$manifest" ] || continue
    for check in 'gate check' 'verify --mode contracts'; do
        read -r -a words <<<"$check"
        code=0
        said=$(cask --root "$root" "${words[@]}" --toolpack "$manifest" 2>&1) || code=$?
        if [ "$code" -ge "$limit" ]; then
            printf '%s\n\ncask %s: exit %s\n' "$said" "$check" "$code" >&2
            failed=1
        fi
    done
done
exit "$failed"
