//! Signals: what speaks for and against what a suggested scope says. A table; the sum of the weights is the confidence.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::propose;
use super::suggest::{Confidence, Member};
use crate::endpoint::{Effect, Endpoint, Risk, effect};
use crate::toolpack::{Binding, Tool, shape, words};

/// One signal of a suggestion.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Signal {
    /// Stable kebab-case name, as in `cask explain`.
    pub signal: String,
    /// What was seen.
    pub detail: String,
}

/// A line of the table.
pub struct Sign {
    /// Stable kebab-case name.
    pub code: &'static str,
    /// How much it speaks for the suggestion.
    pub weight: i32,
    /// What it means.
    pub explain: &'static str,
    /// What was seen, where it was.
    check: fn(&[Member<'_>]) -> Option<String>,
}

/// From this sum on a suggestion is likely.
const MEDIUM: i32 = 0;
/// From this sum on it is shown.
const HIGH: i32 = 3;
/// Calls of a tool that show its habits.
const OFTEN: u64 = 20;
/// Calls of a tool that show more than one of them would.
const SOME: u64 = 3;

/// Every signal, in the order of their names.
pub static SIGNALS: &[Sign] = &[
    Sign {
        code: "auth-unknown",
        weight: -1,
        explain: "No credential was seen with calls of a tool that is no public read: the recording may have lost it, or \
                  the call makes one.",
        check: |members| {
            names(members, |member| {
                let Binding::Http(http) = &member.tool.binding;
                http.auth.is_empty() && member.tool.risk > Risk::Safe
            })
            .map(|names| format!("no credential was seen with {names}"))
        },
    },
    Sign {
        code: "changing-get",
        weight: -1,
        explain: "A tool is a GET that changes something. What else such a service does on a GET nobody can tell.",
        check: |members| {
            having(members, &["get-changes"]).map(|names| format!("{names}: a GET that changes something"))
        },
    },
    Sign {
        code: "effect-guessed",
        weight: -1,
        explain: "Only words in a path say what a tool does; neither its method nor what it sends or is answered does.",
        check: |members| {
            names(members, |member| !is_shown(member.tool))
                .map(|names| format!("only words say what {names} does"))
        },
    },
    Sign {
        code: "effect-shown",
        weight: 1,
        explain: "What each tool does is shown by its method, by what it sends or by what it is answered.",
        check: |members| {
            members.iter().all(|member| is_shown(member.tool)).then(|| {
                let codes: BTreeSet<&str> = members.iter().flat_map(|member| shown(member.tool)).collect();
                codes.into_iter().collect::<Vec<_>>().join(", ")
            })
        },
    },
    Sign {
        code: "method-open",
        weight: -2,
        explain: "A tool has a method that no standard knows, or one that a field or a header can replace by another.",
        check: |members| {
            having(members, &["method-unknown", "method-override", "method-overridden"])
                .map(|names| format!("{names}: the method does not say what is done"))
        },
    },
    Sign {
        code: "never-seen",
        weight: -1,
        explain: "A tool is declared by an API description, and no call of it was seen in traffic.",
        check: |members| {
            names(members, |member| seen(member) == 0).map(|names| format!("no call of {names} was seen"))
        },
    },
    Sign {
        code: "one-resource",
        weight: 1,
        explain: "All tools of the scope are about the same thing.",
        check: |members| resources(members).filter(|all| all.len() == 1).map(|all| told(&all)),
    },
    Sign {
        code: "seen-and-declared",
        weight: 1,
        explain: "Each tool was seen in traffic, and an API description says the same of it.",
        check: |members| {
            let both =
                |member: &Member<'_>| seen(member) > 0 && member.endpoint.is_some_and(|one| one.declared);
            members.iter().all(both).then(|| "an API description declares them too".to_owned())
        },
    },
    Sign {
        code: "seen-often",
        weight: 2,
        explain: "Each tool was seen 20 times or more in traffic.",
        check: |members| counted(members, OFTEN..=u64::MAX),
    },
    Sign {
        code: "seen-seldom",
        weight: 0,
        explain: "A tool was seen once or twice in traffic: other calls of it may look otherwise.",
        check: |members| counted(members, 1..=SOME - 1),
    },
    Sign {
        code: "seen-some",
        weight: 1,
        explain: "Each tool was seen three times or more in traffic.",
        check: |members| counted(members, SOME..=OFTEN - 1),
    },
    Sign {
        code: "several-hosts",
        weight: -1,
        explain: "The tools of the scope call more than one host.",
        check: |members| {
            let host = |member: &Member<'_>| {
                let Binding::Http(http) = &member.tool.binding;
                http.host.clone()
            };
            let hosts: BTreeSet<String> = members.iter().map(host).collect();
            (hosts.len() > 1).then(|| told(&hosts))
        },
    },
    Sign {
        code: "several-resources",
        weight: -1,
        explain: "The tools of the scope are about different things that stand under the same path.",
        check: |members| resources(members).filter(|all| all.len() > 1).map(|all| told(&all)),
    },
    Sign {
        code: "text-unseen",
        weight: -1,
        explain: "A tool sends the name of a stored GraphQL document whose text was never seen.",
        check: |members| {
            having(members, &["graphql-persisted"]).map(|names| format!("{names}: the document was not seen"))
        },
    },
    Sign {
        code: "value-withheld",
        weight: 0,
        explain: "An argument had few values, or one, but they may name somebody or something. They are not written \
                  into a suggestion: if the argument should be limited, write the limit yourself.",
        check: |members| {
            let of = |member: &Member<'_>| {
                let withheld =
                    member.endpoint.map(|endpoint| propose::propose(member.tool, endpoint).withheld);
                let name = member.tool.name.clone();
                withheld.unwrap_or_default().into_iter().map(move |argument| format!("{name}/{argument}"))
            };
            let all: BTreeSet<String> = members.iter().flat_map(of).collect();
            (!all.is_empty()).then(|| told(&all))
        },
    },
];

/// The signals of these tools, and what they amount to.
#[must_use]
pub fn weigh(members: &[Member<'_>]) -> (Confidence, Vec<Signal>) {
    let mut sum = 0;
    let mut signals = Vec::new();
    for sign in SIGNALS {
        if let Some(detail) = (sign.check)(members) {
            sum += sign.weight;
            signals.push(Signal { signal: sign.code.to_owned(), detail });
        }
    }
    let confidence = if sum >= HIGH {
        Confidence::High
    } else if sum >= MEDIUM {
        Confidence::Medium
    } else {
        Confidence::Low
    };
    (confidence, signals)
}

/// Rules that tell an effect from something else than a word of the path.
const SHOWN: [&str; 9] = [
    "admin-fields",
    "auth-answer",
    "auth-fields",
    "graphql-mutation",
    "graphql-read",
    "method-delete",
    "method-read",
    "method-write",
    "payment-fields",
];

fn effect_of(code: &str) -> Option<Effect> {
    effect::RULES.iter().find(|rule| rule.code == code).map(|rule| rule.effect)
}

/// The reasons of a tool that show its effect.
fn shown(tool: &Tool) -> impl Iterator<Item = &str> {
    let codes = tool.reasons.iter().map(|reason| reason.code.as_str());
    codes.filter(move |code| SHOWN.contains(code) && effect_of(code) == Some(tool.effect))
}

fn is_shown(tool: &Tool) -> bool {
    shown(tool).next().is_some()
}

fn seen(member: &Member<'_>) -> u64 {
    member.endpoint.map_or(0, |endpoint| endpoint.observed)
}

/// How often the tool was seen that was seen least, if that is within a range.
fn counted(members: &[Member<'_>], range: std::ops::RangeInclusive<u64>) -> Option<String> {
    let least = members.iter().map(seen).min().filter(|least| range.contains(least))?;
    Some(match (members.len(), least) {
        (1, 1) => "seen once".to_owned(),
        (1, many) => format!("seen {many} times"),
        (_, 1) => "the least seen tool was seen once".to_owned(),
        (_, many) => format!("the least seen tool was seen {many} times"),
    })
}

/// What the tools are about, one word in the singular each.
fn resources(members: &[Member<'_>]) -> Option<BTreeSet<String>> {
    let all: BTreeSet<String> =
        members.iter().filter_map(|member| member.endpoint).filter_map(about).collect();
    (!all.is_empty()).then_some(all)
}

fn about(endpoint: &Endpoint) -> Option<String> {
    let words = match &endpoint.operation {
        Some(operation) => operation.fields.first().map(|field| words::split(field))?,
        None => shape::shape(endpoint).parts.pop()?.words,
    };
    Some(words::singular_last(&words).join("_")).filter(|text| !text.is_empty())
}

/// The tools for one of whose reasons this stands.
fn having(members: &[Member<'_>], codes: &[&str]) -> Option<String> {
    names(members, |member| member.tool.reasons.iter().any(|reason| codes.contains(&reason.code.as_str())))
}

/// The names of the tools that are so, if any are.
fn names(members: &[Member<'_>], so: impl Fn(&Member<'_>) -> bool) -> Option<String> {
    let all: BTreeSet<String> =
        members.iter().filter(|member| so(member)).map(|member| member.tool.name.clone()).collect();
    (!all.is_empty()).then(|| told(&all))
}

/// A few of them by name, the rest by number.
fn told(all: &BTreeSet<String>) -> String {
    const FEW: usize = 4;
    let named: Vec<String> = all.iter().take(FEW).map(|one| format!("`{one}`")).collect();
    match all.len().saturating_sub(FEW) {
        0 => named.join(", "),
        more => format!("{} and {more} more", named.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_order_and_names_rules_that_are_there() {
        assert!(SIGNALS.is_sorted_by_key(|sign| sign.code));
        for code in SHOWN {
            assert!(effect_of(code).is_some(), "{code} is no rule of effect");
        }
        for rule in effect::RULES {
            assert!(SIGNALS.iter().all(|sign| sign.code != rule.code), "{} is a rule already", rule.code);
        }
    }
}
