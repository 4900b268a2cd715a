//! What each check of `cask doctor` looks at. The checks themselves ask the machine, and are in the command.

/// Code, what is looked at, and why it matters.
pub const CHECKS: [(&str, &str, &str); 17] = [
    (
        "root",
        "the state root can be written",
        "Toolpacks, captures and what this machine remembers lie under the state root, `.caskmcp` unless --root says otherwise. Where it is not there, mint something; where it cannot be written, nothing can be approved.",
    ),
    (
        "state-ignored",
        "git does not take `state/` along",
        "`state/` holds signing keys, the audit log and what this machine has accepted. In a repository it would be everybody's, and what git overwrites would no longer be a memory. The hint names the line for `.gitignore`, or how to take out what is in already.",
    ),
    (
        "state-lock",
        "no killed command is in the way",
        "A command that changes the state holds `state/lock` and notes who it is. A note whose process is gone was left by a command that was killed; `cask state unlock` removes it, and refuses while that process lives.",
    ),
    (
        "keys-private",
        "only their owner reads the signing keys",
        "Whoever can read a signing key can approve. On Unix a key file must have no right for group and others; the hint names the command that takes them away.",
    ),
    (
        "trust",
        "it is known who may approve",
        "`trust.yaml` says whose signatures count. It must be whole, signed by those who were trusted before, and what this machine accepted; without a pinned root (--trust-root) the first one that is seen is believed.",
    ),
    (
        "toolpacks",
        "there is something to serve",
        "No toolpack under the state root: mint recorded traffic, unpack a bundle, or give the right --root.",
    ),
    (
        "toolpack-opens",
        "the files of each toolpack can be read",
        "A toolpack whose files do not read, do not fit together or come from a newer cask is not served. The message names file and place; restore it from version control or mint it again.",
    ),
    (
        "toolpack-digests",
        "each file is the one that the manifest lists",
        "The manifest has the SHA-256 of every generated file. One that differs was edited or damaged after it was written. Approvals do not rest on these digests, so nothing unapproved is served; but what is reviewed may not be what was minted.",
    ),
    (
        "lockfile",
        "the lockfile is sealed, accepted and approves something",
        "`cask run` serves what the sealed lockfile approves, and nothing without one. Here it is judged as `run` judges it: seal, signatures, who is trusted, and whether it is older than what this machine has accepted.",
    ),
    (
        "pending-work",
        "nothing waits for a decision",
        "Subjects that are new, changed, expired or blocked are not served. Look with `cask diff`, decide with `cask gate review` or `cask gate allow`.",
    ),
    (
        "approvals-ending",
        "no approval ends soon",
        "An approval that ends takes its tool out of service at that moment, whoever is watching. Approve again before, with a later --until.",
    ),
    (
        "policy",
        "the policy fits the tools",
        "A rule that names a tool or an argument that is not there never matches: a `forbid` would silently forbid nothing. The message is Cedar's own, from checking the policy against the schema of the tools.",
    ),
    (
        "audit-log",
        "the audit log can be continued",
        "Every call is recorded before it is sent; where that is impossible nothing is served. The log must be writable, and its last line whole and part of the chain.",
    ),
    (
        "clock",
        "the time can be believed",
        "Approvals begin and end by this clock. One that is behind the time at which a lockfile was sealed would let expired approvals live on; CASK_NOW holds the time still, which is for tests and for making the same bytes again.",
    ),
    (
        "solver",
        "policy changes can be proved",
        "With cvc5 at hand, `cask diff` proves that a changed policy allows nothing more, or shows a call that it newly allows. Without it every change that is not plainly narrower counts as wider: safe, and more to look at.",
    ),
    (
        "git",
        "git is there",
        "From git cask knows who approves and compares with a revision. Without it, say --by or set CASK_AS, and compare with a toolpack.",
    ),
    ("browser", "a browser is there", "For information: nothing needs one but recording in it."),
];
