//! Waivers themselves. What is said of them is found where they are applied.

use super::{Check, row};
use crate::finding::Severity::{Info, Warning};
use crate::lint::view::{Hit, View};

const AREA: &str = "Waivers";

pub(in crate::lint) const EXPIRED: &str = "waiver-expired";
pub(in crate::lint) const INVALID: &str = "waiver-invalid";
pub(in crate::lint) const UNUSED: &str = "waiver-unused";

pub(super) static RULES: &[Check] = &[
    row(
        AREA,
        EXPIRED,
        Warning,
        "a waiver has ended",
        "Somebody said that a finding is meant until a day that has passed, so it counts again. Look at it anew: mend what it is about, or write another end with a reason that still holds.",
        nothing,
    ),
    row(
        AREA,
        INVALID,
        Warning,
        "a waiver in the policy that cannot be used",
        "An `@waive` annotation reads `code: reason, until 2027-01-31`, several of them with a semicolon between. This one does not, or the name of its rule is given to two rules. It waives nothing.",
        nothing,
    ),
    row(
        AREA,
        UNUSED,
        Info,
        "a waiver that no finding needs",
        "What it was written for is mended, or its code or subject is not the one that was meant. Remove it: it would hide the next finding of that kind without anybody having looked.",
        nothing,
    ),
];

fn nothing(_: &View<'_>) -> Vec<Hit> {
    Vec::new()
}
