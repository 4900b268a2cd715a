//! What the verification of a bundle says no to.
//!
//! Who opens the file reads its members; what their state amounts to is said here.

use serde_json::json;

use super::{file, finding};
use crate::canon::Digest;
use crate::finding::{At, Finding, Rule, Severity};

/// Every rule of bundles.
pub static RULES: &[Rule] = &[REFUSED, MISSING, UNLISTED, CHANGED, LAYOUT, MISMATCH, CREDENTIAL, TRUST];

const REFUSED: Rule = Rule {
    code: "bundle-member-refused",
    severity: Severity::Breaking,
    title: "a member of a name or kind that no bundle has",
    explain: "A bundle holds plain files under plain relative names, each once, stored as they are. A name that leads \
        elsewhere, a link, a second member of the same name or one that is packed was not put there by `cask bundle`. \
        Nothing of it is unpacked. Get the bundle again from whoever made it.",
};
const MISSING: Rule = Rule {
    code: "bundle-member-missing",
    severity: Severity::Breaking,
    title: "a member that the bundle lists is not in it",
    explain: "`bundle.json` lists every member with its digest, and this one is gone. Somebody took it out or the file \
        was cut. Get the bundle again from whoever made it.",
};
const UNLISTED: Rule = Rule {
    code: "bundle-member-unlisted",
    severity: Severity::Breaking,
    title: "a member that does not belong into the bundle",
    explain: "The member is not in `bundle.json`, or is of a kind that bundles do not carry: keys, captures, audit logs \
        and pending lockfiles never are. Somebody added it. Get the bundle again from whoever made it.",
};
const CHANGED: Rule = Rule {
    code: "bundle-member-changed",
    severity: Severity::Breaking,
    title: "a member is not the one that was bundled",
    explain: "The SHA-256 of the member is not the one in `bundle.json`. The file was damaged on its way, or somebody \
        changed it. Get the bundle again; what was approved is protected by its signatures besides.",
};
const LAYOUT: Rule = Rule {
    code: "bundle-layout",
    severity: Severity::Breaking,
    title: "the file is not written as cask writes bundles",
    explain: "The same members always give the same bytes, and these are others: something stands between the members, \
        or a header says something else than the directory, so that two readers could see two contents. Packing a \
        bundle again with another program does this as well. Bundle the toolpack anew.",
};
const MISMATCH: Rule = Rule {
    code: "bundle-mismatch",
    severity: Severity::Breaking,
    title: "the bundle says something else than its members",
    explain: "`bundle.json` names the toolpack, the revision, the lockfile and the trust that it is about, and the \
        members are about others. It was put together by hand. Bundle the toolpack anew.",
};
const CREDENTIAL: Rule = Rule {
    code: "bundle-credential",
    severity: Severity::Breaking,
    title: "a member holds what looks like a credential",
    explain: "A bundle is made to be passed on, and redaction would replace something in this member. The value itself is \
        not shown. Remove it where it stands (a policy or a description is edited by hand, the rest is minted again), \
        review, approve, and bundle again. If it is a real credential, replace it at the service: it was in the repository.",
};
const TRUST: Rule = Rule {
    code: "bundle-trust-refused",
    severity: Severity::Breaking,
    title: "the trust in the bundle is not to be trusted",
    explain: "Who may approve is said by the bundle's own `trust.yaml`, so it counts only if it is the trust that \
        `--trust-root` names, or comes from it by changes that enough of its signers agreed to. This one does not. Ask \
        whoever made the bundle which trust it is from, on another way than the bundle came.",
};

/// A member that no bundle may have.
#[must_use]
pub fn refused(member: &str, why: &str) -> Finding {
    finding(&REFUSED, file(member), format!("`{member}` {why}"))
}

/// A member that is listed and not there.
#[must_use]
pub fn missing(member: &str) -> Finding {
    finding(&MISSING, file(member), format!("`{member}` is not in the bundle"))
}

/// A member that is there and should not be.
#[must_use]
pub fn unlisted(member: &str, why: &str) -> Finding {
    finding(&UNLISTED, file(member), format!("`{member}` {why}"))
}

/// A member with another digest than the one that is listed.
#[must_use]
pub fn changed(member: &str, listed: Digest, is: Digest) -> Finding {
    let mut found = finding(&CHANGED, file(member), format!("`{member}` is not what was bundled"));
    (found.before, found.after) = (Some(json!(listed)), Some(json!(is)));
    found
}

/// A file that is no bundle's bytes.
#[must_use]
pub fn layout(why: &str) -> Finding {
    finding(&LAYOUT, At::default(), why)
}

/// A statement of the bundle that its members contradict.
#[must_use]
pub fn mismatch(what: &str, says: &str, is: &str) -> Finding {
    let mut found = finding(&MISMATCH, At::default(), format!("{what} is not the one that the bundle names"));
    (found.before, found.after) = (Some(json!(says)), Some(json!(is)));
    found
}

/// Something of this kind that must not be passed on, and where it is. Never the value.
#[must_use]
pub fn credential(member: &str, kind: &str, place: &str) -> Finding {
    let at = At { pointer: place.to_owned(), ..file(member) };
    finding(&CREDENTIAL, at, format!("`{member}` holds what looks like a {kind}, at `{place}`"))
}

/// A trust that is not accepted.
#[must_use]
pub fn trust(member: &str, why: &str) -> Finding {
    finding(&TRUST, file(member), why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_told_apart_and_name_their_place() {
        let codes: std::collections::BTreeSet<_> = RULES.iter().map(|rule| rule.code).collect();
        assert_eq!(codes.len(), RULES.len());
        let found = credential("a.json", "token", "/b/0");
        assert_eq!((found.at.file.as_str(), found.at.pointer.as_str()), ("a.json", "/b/0"));
        let (one, other) = (Digest::of_bytes(b"x"), Digest::of_bytes(b"y"));
        assert_eq!(changed("a", one, other).before, Some(json!(one)));
        assert!(mismatch("the toolpack", "tp_1", "tp_2").message.contains("the toolpack"));
    }
}
