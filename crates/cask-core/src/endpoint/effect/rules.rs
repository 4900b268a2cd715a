//! The table of signals. Each line can only raise; [`reading`] and [`stateful`] say what a method hides.

use super::facts::{Base, Facts};
use super::lexicon::*;
use super::words::{singular, words};
use super::{Effect, Risk, Rule};
use crate::endpoint::steer;

/// A public read: the one line that lowers, fired last and only on a plain read.
pub static PUBLIC: Rule = Rule {
    code: "public-read",
    effect: Effect::Read,
    risk: Risk::Safe,
    explain: "The call only reads, nothing in it looks sensitive, and it carries no credential although other calls \
              to the same host do (or the description says that it needs none).",
    check: |_| None,
};

/// Every signal, in the order in which a reader would look for them.
pub static RULES: &[Rule] = &[
    Rule {
        code: "method-read",
        effect: Effect::Read,
        risk: Risk::Low,
        explain: "GET, HEAD and OPTIONS only read (RFC 9110, 9.2.1), unless another signal says otherwise.",
        check: |f| {
            (f.base == Base::Read && f.signals.operation.is_none() && f.stateful.is_none())
                .then(|| format!("{} reads", f.method))
        },
    },
    Rule {
        code: "method-write",
        effect: Effect::Write,
        risk: Risk::Medium,
        explain: "POST, PUT and PATCH create or change something.",
        check: |f| {
            (f.base == Base::Write && f.signals.operation.is_none() && f.reading.is_none())
                .then(|| format!("{} writes", f.method))
        },
    },
    Rule {
        code: "method-delete",
        effect: Effect::Delete,
        risk: Risk::High,
        explain: "DELETE removes something, which can seldom be undone.",
        check: |f| (f.base == Base::Delete).then(|| "DELETE removes".to_owned()),
    },
    Rule {
        code: "method-unknown",
        effect: Effect::Admin,
        risk: Risk::Critical,
        explain: "No standard says what this method does, so the worst is assumed.",
        check: |f| {
            let shown: String = f.method.chars().take(40).collect();
            (f.base == Base::Unknown).then(|| format!("`{shown}` is no known method"))
        },
    },
    Rule {
        code: "method-override",
        effect: Effect::Admin,
        risk: Risk::Critical,
        explain: "A field or parameter called `_method` lets the caller turn this request into any other method.",
        check: |f| {
            let mut names = f.signals.query.keys().chain(&f.signals.request);
            let name = names.find(|name| steer::parameter_names_method(name))?;
            Some(format!("`{}` overrides the method", short(name)))
        },
    },
    Rule {
        code: "method-overridden",
        effect: Effect::Write,
        risk: Risk::Medium,
        explain: "A header of the recorded calls (`X-HTTP-Method-Override` and its like) named another method, so the call \
                  counts as the worse of the two. Tools never send such a header.",
        check: |f| {
            let methods: Vec<String> = f.signals.overrides.iter().map(|method| short(method)).collect();
            (!methods.is_empty())
                .then(|| format!("a header turned {} into {}", f.signals.method, methods.join(", ")))
        },
    },
    Rule {
        code: "post-reads",
        effect: Effect::Read,
        risk: Risk::Low,
        explain: "A POST whose path says that it searches, lists, counts or checks is a read: the body is only a long \
                  question. It counts as a write again where it was answered with 201 or its body has secrets.",
        check: |f| f.reading.clone().filter(|_| f.base == Base::Write),
    },
    Rule {
        code: "get-changes",
        effect: Effect::Write,
        risk: Risk::Medium,
        explain: "A GET that changes something: its path or an `action` parameter names an action (logout, delete, confirm, \
                  unsubscribe), or its answer says that something was made or nothing came back.",
        check: |f| f.stateful.as_ref().map(|(_, detail)| detail.clone()),
    },
    Rule {
        code: "graphql-read",
        effect: Effect::Read,
        risk: Risk::Low,
        explain: "The parsed GraphQL document runs a query or a subscription.",
        check: |f| {
            let operation = f.signals.operation.as_ref()?;
            (f.base == Base::Read).then(|| format!("GraphQL {}", operation.kind))
        },
    },
    Rule {
        code: "graphql-mutation",
        effect: Effect::Write,
        risk: Risk::Medium,
        explain: "The parsed GraphQL document runs a mutation.",
        check: |f| {
            let operation = f.signals.operation.as_ref()?;
            (f.base != Base::Read && !operation.document.is_empty()).then(|| "GraphQL mutation".to_owned())
        },
    },
    Rule {
        code: "graphql-persisted",
        effect: Effect::Write,
        risk: Risk::Medium,
        explain: "A persisted GraphQL document sent by POST: its text was not seen, so it may be a mutation.",
        check: |f| {
            let operation = f.signals.operation.as_ref()?;
            (f.base != Base::Read && operation.document.is_empty())
                .then(|| "persisted document, text unseen".to_owned())
        },
    },
    Rule {
        code: "deletes",
        effect: Effect::Delete,
        risk: Risk::High,
        explain: "The path or the GraphQL field names an action that removes something.",
        check: |f| changing(f)?.verb(&DELETING).or_else(|| f.verb(&WIPING)).map(has),
    },
    Rule {
        code: "deletes-many",
        effect: Effect::Delete,
        risk: Risk::Critical,
        explain: "The call removes a whole collection or everything that fits a query, not one thing that is named.",
        check: deletes_many,
    },
    Rule {
        code: "payment-words",
        effect: Effect::Payment,
        risk: Risk::Critical,
        explain: "The path or the GraphQL field says that money moves or is promised (pay, refund, transfer, checkout, orders).",
        check: payment_words,
    },
    Rule {
        code: "payment-fields",
        effect: Effect::Payment,
        risk: Risk::Critical,
        explain: "The request carries card or bank data, a payment method, or an amount with a currency.",
        check: |f| {
            let f = changing(f)?;
            let amount =
                f.sends(&AMOUNTS).and_then(|amount| f.sends(&["currency", "currencycode"]).map(|_| amount));
            let card =
                f.signals.request.iter().find(|path| {
                    ["card/number", "card/cvc", "card/cvv"].iter().any(|end| path.ends_with(end))
                });
            f.sends(&PAYING_FIELDS).or(card.map(String::as_str)).or(amount).map(sends)
        },
    },
    Rule {
        code: "auth-words",
        effect: Effect::Auth,
        risk: Risk::High,
        explain: "The path or the GraphQL field is about signing in or out, or about tokens, passwords, keys or secrets.",
        check: auth_words,
    },
    Rule {
        code: "auth-fields",
        effect: Effect::Auth,
        risk: Risk::High,
        explain: "The request carries a password, a one-time code or another secret.",
        check: |f| {
            let sent = f.sends(&SECRET_INPUTS)?;
            (changing(f).is_some() || f.base == Base::Write).then(|| sends(sent))
        },
    },
    Rule {
        code: "auth-answer",
        effect: Effect::Auth,
        risk: Risk::High,
        explain: "The answer to a changing call holds a credential that it made, or sets a session cookie.",
        check: |f| {
            let f = changing(f)?;
            let minted = f.answers(&MINTED).map(|field| format!("answers `{}`", short(field)));
            minted.or_else(|| f.signals.sets_session.then(|| "sets a session cookie".to_owned()))
        },
    },
    Rule {
        code: "admin-words",
        effect: Effect::Admin,
        risk: Risk::Critical,
        explain: "The path or the GraphQL field changes roles, permissions, policies, members or something under `admin`.",
        check: admin_words,
    },
    Rule {
        code: "admin-fields",
        effect: Effect::Admin,
        risk: Risk::Critical,
        explain: "The request can set a role, permissions, an owner or an access level.",
        check: |f| {
            let f = changing(f)?;
            // Chat APIs call the speaker of a message its role.
            let spoken = |path: &str| {
                let parent = path.rsplit('/').nth(1).unwrap_or_default();
                ["messages", "message", "input", "content", "choices"].contains(&parent)
            };
            let rules =
                |(flat, path): &&(String, &str)| RULING_FIELDS.contains(&flat.as_str()) && !spoken(path);
            f.sent.iter().find(rules).map(|(_, path)| sends(path))
        },
    },
    Rule {
        code: "hard-to-undo",
        effect: Effect::Write,
        risk: Risk::High,
        explain: "The path or the GraphQL field names an action whose result stays: cancel, merge, deploy, reboot, run.",
        check: |f| {
            let f = changing(f)?;
            let started = ["deployment", "release", "dispatch", "dispatche", "eviction", "execution"];
            let made = (f.signals.method == "POST" && f.ends_literal).then(|| f.noun(&started)).flatten();
            f.verb(&FINAL).or(made).map(has)
        },
    },
    Rule {
        code: "tells-others",
        effect: Effect::Write,
        risk: Risk::High,
        explain: "The call sends a message, mail or notification: what people have read cannot be taken back.",
        check: |f| {
            let f = changing(f)?;
            let posted = f.signals.method == "POST" || f.signals.operation.is_some() || f.stateful.is_some();
            let nouns = ["message", "email", "mail", "sms", "notification", "broadcast", "invitation"];
            let noun = (posted && f.ends_literal).then(|| f.noun(&nouns)).flatten();
            posted.then(|| f.verb(&TELLING).or(noun).map(has)).flatten()
        },
    },
    Rule {
        code: "hooks",
        effect: Effect::Write,
        risk: Risk::High,
        explain: "The call sets where a service sends its data (webhooks, forwarding): a way out for everything it knows.",
        check: |f| changing(f)?.anywhere(&["webhook", "hook", "forwarding", "autoforwarding"]).map(has),
    },
    Rule {
        code: "switches",
        effect: Effect::Write,
        risk: Risk::Medium,
        explain: "The path or the GraphQL field names a switch that can be turned back: archive, enable, follow.",
        check: |f| changing(f)?.verb(&SWITCHING).map(has),
    },
    Rule {
        code: "sensitive-words",
        effect: Effect::Read,
        risk: Risk::Medium,
        explain: "What is read is money, credentials, permissions, audit or personal records.",
        check: |f| {
            let found = f.anywhere(&SENSITIVE).or_else(|| f.stem(&["permission", "password", "credential"]));
            let keys = || f.pair(&[("api", "key"), ("ssh", "key"), ("access", "key")]);
            (!f.changes()).then(|| found.map(has).or_else(|| keys().map(|two| has(&two)))).flatten()
        },
    },
    Rule {
        code: "sensitive-fields",
        effect: Effect::Read,
        risk: Risk::Medium,
        explain: "The answer has fields for secrets, bank or card data, or other data that must not leak.",
        check: |f| {
            let field = f.answers(&SENSITIVE_FIELDS)?;
            (!f.changes()).then(|| format!("answers `{}`", short(field)))
        },
    },
    Rule {
        code: "sensitive-values",
        effect: Effect::Read,
        risk: Risk::Medium,
        explain: "Redaction replaced secrets, card or bank data in the answers.",
        check: |f| {
            let strong = ["credential", "token", "card", "iban", "ssn"];
            let kind = f.signals.redacted.iter().find(|kind| strong.contains(&kind.as_str()))?;
            (!f.changes()).then(|| format!("answers held values of kind `{kind}`"))
        },
    },
];

/// Why a POST only reads, if its path says so and nothing else objects.
pub fn reading(f: &Facts<'_>) -> Option<String> {
    if f.base != Base::Write || f.signals.method != "POST" || f.signals.operation.is_some() || !f.ends_literal
    {
        return None;
    }
    let first = f.verbs.first()?;
    let last = f.verbs.last()?;
    let single = f.verbs.len() == 1;
    // One word (`/search`), the first of several (`listUsers`), or the last where the first changes nothing
    // (`advanced_search`). `get` and `list` alone are nouns as often as not, but nothing is made by them either.
    let asks = if READING.contains(&first.as_str()) {
        Some(first)
    } else if !single
        && ["search", "query", "lookup", "get", "list", "count", "fetch"].contains(&last.as_str())
    {
        (!CHANGING.contains(&first.as_str()) && !DELETING.contains(&first.as_str())).then_some(last)
    } else if first == "test" && f.pair(&[("iam", "permission")]).is_some() {
        Some(first)
    } else {
        None
    }?;
    let objects = f.signals.statuses.contains(&201)
        || f.target.iter().any(|word| CHANGING.contains(&word.as_str()) || DELETING.contains(&word.as_str()))
        || f.sends(&SECRET_INPUTS).is_some();
    (!objects).then(|| format!("POST, but the path says `{asks}`"))
}

/// Why a GET changes something, if anything says so.
pub fn stateful(f: &Facts<'_>) -> Option<(&'static str, String)> {
    if f.base != Base::Read || f.signals.operation.is_some() || f.signals.method == "OPTIONS" {
        return None;
    }
    if let (Some(first), Some(last)) = (f.verbs.first(), f.target.last()) {
        // `reset-tokens` lists tokens, `reset-password` resets one.
        let plural = f.verbs.len() > 1 && singular(last) != last;
        if CHANGING.contains(&first.as_str()) && !plural {
            return Some(("verb", format!("the path of a GET has `{first}`")));
        }
    }
    if let Some(two) =
        f.pair(&[("log", "out"), ("sign", "out"), ("log", "in"), ("sign", "in"), ("opt", "out")])
    {
        return Some(("verb", format!("the path of a GET has `{two}`")));
    }
    // `/projects/search?action=edit` asks which projects may be edited.
    let asks = f.verb(&READING).is_some();
    for (name, values) in f.signals.query.iter().filter(|(name, _)| !asks && is_action(name)) {
        let mut reads = values.iter().map(|value| {
            let words = words(value);
            words.iter().any(|word| {
                READING.contains(&word.as_str()) || ["view", "show", "read"].contains(&word.as_str())
            }) && !words.iter().any(|word| CHANGING.contains(&word.as_str()))
        });
        if values.is_empty() || reads.any(|reads| !reads) {
            return Some(("action", format!("the query of a GET has `{}`", short(name))));
        }
    }
    if f.signals.statuses.contains(&201) {
        return Some(("created", "a GET was answered with 201".to_owned()));
    }
    // A GET that answers 204 or 404 is a question ("does it follow?"); one that only ever answers 204 is not.
    if f.only_answers(204..206) && !f.signals.statuses.contains(&404) {
        return Some(("empty", "a GET was only ever answered with nothing".to_owned()));
    }
    if f.signals.sets_session && f.only_answers(300..400) {
        return Some(("session", "a GET redirects and sets a session cookie".to_owned()));
    }
    None
}

/// Whether a query parameter of that name says what to do.
pub fn is_action(name: &str) -> bool {
    ["action", "do", "cmd", "command", "_action", "act"].contains(&name.to_ascii_lowercase().as_str())
}

fn changing<'f, 's>(f: &'f Facts<'s>) -> Option<&'f Facts<'s>> {
    f.changes().then_some(f)
}

fn deletes_many(f: &Facts<'_>) -> Option<String> {
    let f = changing(f)?;
    if let Some(word) = f.verb(&WIPING) {
        return Some(has(word));
    }
    let deletes = f.base == Base::Delete || f.verb(&DELETING).is_some();
    if deletes && let Some(word) = f.target.iter().find(|word| MANY.contains(&word.as_str())) {
        return Some(has(word));
    }
    let last = f.target.last()?;
    let collection = f.base == Base::Delete && f.ends_literal && singular(last) != last;
    let naming = |path: &str| {
        if path.contains('/') {
            return false;
        }
        let words = words(path);
        let last = words.last().map_or("", |word| singular(word));
        ["id", "uri", "url", "uuid", "name", "email", "key"].contains(&last)
    };
    let mut fields = f.signals.query.keys().chain(&f.signals.request);
    let items = f.signals.request.iter().any(|path| path == last);
    (collection && !items && !fields.any(|name| naming(name)))
        .then(|| format!("DELETE of the whole of `{}`", short(last)))
}

fn payment_words(f: &Facts<'_>) -> Option<String> {
    let f = changing(f)?;
    if let Some(word) = f.verb(&PAYING).or_else(|| f.noun(&MONEY)).or_else(|| f.anywhere(&["checkout"])) {
        return Some(has(word));
    }
    // These mean money only in company.
    let orders = f.signals.method == "POST" && f.ends_literal && f.target.iter().any(|word| word == "orders");
    if orders {
        return Some(has("orders"));
    }
    let company =
        f.anywhere(&["payment", "charge", "order", "invoice", "intent", "checkout", "billing", "customer"]);
    let found = f
        .noun(&["subscription", "card", "source", "bank"])
        .or_else(|| f.verb(&["capture", "confirm", "void", "finalize"]));
    found.filter(|_| company.is_some()).map(has)
}

fn auth_words(f: &Facts<'_>) -> Option<String> {
    let f = changing(f)?;
    // `/checkout/sessions` is a shopping cart.
    let shop = f.anywhere(&["checkout", "billing", "portal", "game", "training"]).is_some();
    let credential = f.noun(&CREDENTIALS).filter(|word| !(shop && singular(word) == "session"));
    let above = f.above.iter().map(String::as_str).find(|word| DOORS.contains(word));
    let door = f.target.iter().map(String::as_str).find(|word| *word == "auth");
    if let Some(word) =
        f.verb(&ENTERING).or(credential).or(above).or(door).or_else(|| f.stem(&["password", "credential"]))
    {
        return Some(has(word));
    }
    let pairs = [
        ("log", "in"),
        ("log", "out"),
        ("sign", "in"),
        ("sign", "out"),
        ("sign", "up"),
        ("api", "key"),
        ("ssh", "key"),
        ("access", "key"),
        ("deploy", "key"),
        ("gpg", "key"),
        ("signing", "key"),
        ("account", "key"),
    ];
    let keys = f.target.iter().all(|word| singular(word) == "key") && !f.target.is_empty();
    f.pair(&pairs).map(|two| has(&two)).or_else(|| keys.then(|| has("keys")))
}

fn admin_words(f: &Facts<'_>) -> Option<String> {
    let f = changing(f)?;
    if let Some(word) = f.anywhere(&RULING).or_else(|| f.stem(&RULING_STEMS)) {
        return Some(has(word));
    }
    let ranks = f.anywhere(&PERSONS).and(f.verb(&RANKING));
    if let Some(word) = f.verb(&PROMOTING).or(ranks).or_else(|| f.noun(&PEOPLE)) {
        return Some(has(word));
    }
    let group =
        f.above.last().filter(|word| ["group", "team", "org", "organization"].contains(&singular(word)));
    group.and(f.noun(&["user"])).map(|word| format!("the path has `{word}` under a group"))
}

fn has(word: &str) -> String {
    format!("the call has `{}`", short(word))
}

fn sends(field: &str) -> String {
    format!("sends `{}`", short(field))
}

/// Names from traffic are shown cut.
fn short(name: &str) -> String {
    name.chars().filter(|c| !c.is_control()).take(60).collect()
}
