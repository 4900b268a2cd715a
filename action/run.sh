#!/usr/bin/env bash
# What the action does (see action.yml): checks, reports, comments, and ends with the verdict as its exit code.
# All input comes by the environment and is data; no value is ever put into the text of a script.
set -euo pipefail

root=${INPUT_ROOT:-} trust_root=${INPUT_TRUST_ROOT:-} toolpack=${INPUT_TOOLPACK:-} capture=${INPUT_CAPTURE:-}
comment=${INPUT_COMMENT:-true} sarif=${INPUT_SARIF:-true} fail_on=${INPUT_FAIL_ON:-breaking}
repository=${GITHUB_REPOSITORY:-} pull=${PR_NUMBER:-}
temp=${RUNNER_TEMP:-${TMPDIR:-/tmp}}
limit=65000 # bytes of a comment; GitHub takes 65,536 characters

invalid() {
    printf '::error title=cask::%s\n' "$1"
    exit 3
}

for switch in "$comment" "$sarif"; do
    case $switch in true | false) ;; *) invalid 'comment and sarif are true or false' ;; esac
done
case $fail_on in breaking | review | never) ;; *) invalid 'fail-on is breaking, review or never' ;; esac
command -v cask >/dev/null || invalid 'there is no cask on the PATH'

# The token is for the comment alone.
cask=(env -u GH_TOKEN -u GITHUB_TOKEN cask)
if [ -n "$root" ]; then cask+=("--root=$root"); fi
if [ -n "$trust_root" ]; then cask+=("--trust-root=$trust_root"); fi
if [ -z "$trust_root" ]; then
    # Whoever can write the repository can write trust.yaml: without a pin, this run says what they want it to say.
    printf '::warning title=cask::no trust-root is given: set it to a variable of the repository (cask trust show prints it)\n'
fi
which=()
if [ -n "$toolpack" ]; then which=("--toolpack=$toolpack"); fi
out=$(mktemp -d "$temp/cask-report.XXXXXX")

# Text on its way to the log must not be read as a command of the runner.
show() {
    local token
    token=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
    printf '::group::%s\n::stop-commands::%s\n' "$1" "$token"
    cat "$2"
    printf '\n::%s::\n::endgroup::\n' "$token"
}

# Runs one check for people (and for code scanning); its exit code is in $code.
check() {
    local name=$1
    shift
    code=0
    "${cask[@]}" "$@" ${which[@]+"${which[@]}"} --format github-md >"$out/$name.md" 2>"$out/$name.log" || code=$?
    if [ "$code" -gt 3 ]; then code=3; fi
    if [ "$code" = 3 ]; then
        printf '### ❌ cask %s could not check\n\nThe log of the job says why.\n' "$name" >"$out/$name.md"
    elif [ "$sarif" = true ] && [ "$name" != gate ]; then
        "${cask[@]}" "$@" ${which[@]+"${which[@]}"} --format sarif >"$out/$name.sarif" 2>/dev/null || true
    fi
    cat "$out/$name.md" >>"$out/$name.log"
    show "cask $name: exit $code" "$out/$name.log"
}

check diff diff
diff=$code
check gate gate check
gate=$code
drift=
if [ -n "$capture" ]; then
    words=()
    while IFS= read -r file; do
        case $file in
            '') ;;
            cap_*) words+=(--capture-id "$file") ;;
            -*) words+=("./$file") ;; # a file, whatever it is called
            *) words+=("$file") ;;
        esac
    done <<<"$capture"
    check drift drift ${words[@]+"${words[@]}"}
    drift=$code
fi

worst=0
for code in "$diff" "$gate" ${drift:+"$drift"}; do
    if [ "$code" -gt "$worst" ]; then worst=$code; fi
done
verdicts=(pass review breaking invalid)

# One comment a toolpack, found again by what nobody sees.
about=${toolpack//[^A-Za-z0-9._\/]/_}
export CASK_MARKER="<!-- cask report ${about:-.} -->"
printf '%s\n' "$CASK_MARKER" >"$out/body.md"
for name in diff gate drift; do
    [ -f "$out/$name.md" ] || continue
    if [ $(($(wc -c <"$out/body.md") + $(wc -c <"$out/$name.md") + 200)) -le "$limit" ]; then
        cat "$out/$name.md" >>"$out/body.md"
    else
        printf '\ncask %s is too long for a comment: see the summary of the run.\n' "$name" >>"$out/body.md"
    fi
    printf '\n' >>"$out/body.md"
done
if [ -n "${GITHUB_STEP_SUMMARY:-}" ]; then
    for name in diff gate drift; do
        if [ -f "$out/$name.md" ]; then cat "$out/$name.md" >>"$GITHUB_STEP_SUMMARY"; fi
    done
fi

# A comment of a person that begins like ours is not ours: they could write something else into it.
say() {
    local ids id
    ids=$(gh api --paginate "repos/$repository/issues/$pull/comments" \
        --jq '.[] | select(.user.type == "Bot" and (.body | startswith(env.CASK_MARKER))) | .id') || return 1
    id=${ids%%$'\n'*}
    if [[ $id =~ ^[0-9]+$ ]]; then
        gh api --silent --method PATCH "repos/$repository/issues/comments/$id" -F "body=@$out/body.md" || return 1
        said=updated
    else
        gh api --silent --method POST "repos/$repository/issues/$pull/comments" -F "body=@$out/body.md" || return 1
        said=created
    fi
}

said=none
if [ "$comment" = true ] && [ -n "$pull" ]; then
    if ! [[ $pull =~ ^[0-9]+$ && $repository =~ ^[A-Za-z0-9._-]+/[A-Za-z0-9._-]+$ ]]; then
        invalid 'the pull request or the repository has no usable name'
    fi
    # A pull request from a fork gives no right to comment: the summary has the report all the same.
    say || printf '::warning title=cask::%s\n' 'could not comment on the pull request; the summary of the run has the report'
fi

output() {
    if [ -n "${GITHUB_OUTPUT:-}" ]; then printf '%s=%s\n' "$1" "$2" >>"$GITHUB_OUTPUT"; fi
}
output verdict "${verdicts[worst]}"
output diff "$diff"
output gate "$gate"
output drift "$drift"
output comment "$said"
for name in diff drift; do
    if [ -s "$out/$name.sarif" ]; then output "$name-sarif" "$out/$name.sarif"; fi
done

printf 'cask: %s\n' "${verdicts[worst]}"
case $worst:$fail_on in
    3:* | 2:breaking | [12]:review) exit "$worst" ;;
esac
