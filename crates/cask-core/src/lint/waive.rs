//! What is meant: levels and waivers applied to what the rules found.

use std::collections::{BTreeMap, BTreeSet};

use super::rules::{self, Check};
use super::settings::Waiver;
use super::view::{Hit, View};
use super::{Outcome, Waived};
use crate::finding::Finding;
use crate::json::token;
use crate::lock::POLICY;

/// Takes out what is off or waived, and says what is wrong with the waivers.
pub(super) fn settle(view: &View<'_>, hits: Vec<(&'static Check, Hit)>) -> Outcome {
    let (settings, now) = (view.input.settings, view.input.now);
    let (mut inline, mut about) = annotations(view);
    let mut used = BTreeSet::new();
    let mut outcome = Outcome::default();
    for (check, hit) in hits {
        let Some(severity) = settings.severity(&check.rule) else { continue };
        let named = hit.rules.clone();
        let finding = hit.finding(check, severity);
        let mut waiver = waived_by_all(&mut inline, &named, &finding, now);
        for (index, one) in settings.waivers().iter().enumerate() {
            if one.covers(&finding) && !one.is_over(now) {
                used.insert(index);
                waiver.get_or_insert_with(|| one.clone());
            }
        }
        match waiver {
            Some(Waiver { reason, until, .. }) => outcome.waived.push(Waived { finding, reason, until }),
            None => outcome.findings.push(finding),
        }
    }
    for (index, waiver) in settings.waivers().iter().enumerate() {
        let place = |hit: Hit| hit.pointer(format!("/lint/waive/{index}"));
        let subject = format!("waiver/{}", waiver.code);
        let (what, on) = (&waiver.code, &waiver.subject);
        if waiver.is_over(now) {
            let message = format!("the waiver of `{what}` for `{on}` ended on {}", waiver.until);
            about.push((rules::EXPIRED, place(Hit::new(subject, message))));
        } else if !used.contains(&index) {
            let message = format!("nothing is found that the waiver of `{what}` for `{on}` is about");
            about.push((rules::UNUSED, place(Hit::new(subject, message))));
        }
    }
    for (name, waivers) in &inline {
        for Annotated { waiver, used } in waivers {
            let hit = |message: String| annotated(view, name, message);
            let what = &waiver.code;
            if waiver.is_over(now) {
                let message = format!("the waiver of `{what}` on rule `{name}` ended on {}", waiver.until);
                about.push((rules::EXPIRED, hit(message)));
            } else if !used {
                let message =
                    format!("nothing is found that the waiver of `{what}` on rule `{name}` is about");
                about.push((rules::UNUSED, hit(message)));
            }
        }
    }
    for (code, hit) in about {
        let Some(check) = rules::find(code) else { continue };
        if let Some(severity) = settings.severity(&check.rule) {
            outcome.findings.push(hit.finding(check, severity));
        }
    }
    outcome
}

/// A waiver on a rule of the policy.
struct Annotated {
    waiver: Waiver,
    used: bool,
}

/// The waivers of every rule of the policy, by its name, and what is wrong with those that cannot be read.
type Annotations = (BTreeMap<String, Vec<Annotated>>, Vec<(&'static str, Hit)>);

fn annotations(view: &View<'_>) -> Annotations {
    let mut out: BTreeMap<String, Vec<Annotated>> = BTreeMap::new();
    let mut wrong = Vec::new();
    let mut invalid = |name: &str, why: String| {
        let message = format!("the waiver on rule `{name}` cannot be used: {why}");
        wrong.push((rules::INVALID, annotated(view, name, message)));
    };
    for rule in &view.policy.rules {
        let Some(text) = &rule.waiver else { continue };
        if view.policy.rules.iter().filter(|other| other.name == rule.name).count() > 1 {
            invalid(&rule.name, "another rule has the same name".to_owned());
            continue;
        }
        match read(text) {
            Ok(waivers) => {
                let waivers = waivers.into_iter().map(|waiver| Annotated { waiver, used: false });
                out.insert(rule.name.clone(), waivers.collect());
            }
            Err(why) => invalid(&rule.name, why),
        }
    }
    (out, wrong)
}

/// `code: reason, until 2027-01-31`, several with a semicolon between.
fn read(text: &str) -> Result<Vec<Waiver>, String> {
    let mut out = Vec::new();
    for part in text.split(';').map(str::trim).filter(|part| !part.is_empty()) {
        let read = part.split_once(':').and_then(|(code, rest)| {
            let (reason, until) = rest.rsplit_once(", until ")?;
            Some(Waiver {
                code: code.trim().to_owned(),
                subject: POLICY.to_owned(),
                reason: reason.trim().to_owned(),
                until: until.trim().to_owned(),
            })
        });
        let waiver = read.ok_or("it reads `code: reason, until 2027-01-31`")?;
        if let Some((_, why)) = waiver.faults().into_iter().next() {
            return Err(why);
        }
        out.push(waiver);
    }
    if out.is_empty() { Err("it is empty".to_owned()) } else { Ok(out) }
}

fn annotated(view: &View<'_>, rule: &str, message: String) -> Hit {
    Hit::new(POLICY, message).file(view.policy_file()).pointer(format!("/{}", token(rule)))
}

/// The waiver of a finding if every rule that it comes from has one: what one rule means, another may not.
fn waived_by_all(
    inline: &mut BTreeMap<String, Vec<Annotated>>,
    rules: &BTreeSet<String>,
    finding: &Finding,
    now: &str,
) -> Option<Waiver> {
    let fits = |one: &Annotated| one.waiver.code == finding.code && !one.waiver.is_over(now);
    let all = rules.iter().all(|name| inline.get(name).is_some_and(|waivers| waivers.iter().any(fits)));
    if rules.is_empty() || !all {
        return None;
    }
    let mut first = None;
    for one in rules.iter().filter_map(|name| inline.get(name)).flatten() {
        if fits(one) {
            first.get_or_insert_with(|| one.waiver.clone());
        }
    }
    for name in rules {
        for one in inline.get_mut(name).into_iter().flatten() {
            one.used |= fits(one);
        }
    }
    first
}
