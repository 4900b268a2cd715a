//! `cask gate review`: decide at a terminal, subject by subject.

use std::collections::{BTreeMap, BTreeSet};
use std::io::IsTerminal as _;

use cask_core::finding::{Finding, Severity};
use cask_core::lock::State;
use cask_core::lock::status::Standing;
use cask_core::report::escape::{terminal, whole};
use cask_core::toolpack::Binding;
use ratatui::crossterm::event::{self, Event, KeyEventKind};

use super::decide::{By, Desk, signable, sound, word};
use super::{Which, scopes};
use crate::ctx::Ctx;
use crate::error::{Error, Exit};
use crate::keys::Who;
use crate::review::{Choice, Item, Line, Next, Review, Tone, draw};
use crate::store::Store;
use crate::{output, ui};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    who: Who,
    #[command(flatten)]
    which: Which,
}

/// `cask gate review`
pub(super) fn run(args: &Args, ctx: &Ctx, store: &Store) -> Result<Exit, Error> {
    if !(std::io::stdin().is_terminal() && std::io::stdout().is_terminal()) {
        return Err(Error::new("a review needs a terminal").hint(
            "without one: `cask diff` shows what would change, `cask gate allow NAME` and `cask gate block NAME` decide",
        ));
    }
    let held = store.lock("gate review")?;
    let mut desk = Desk::open(&args.which, ctx, store)?;
    let mut review = Review::new(items(&desk, ctx)?);
    if review.items.is_empty() {
        output::text("nothing to decide: everything is approved or blocked\n")?;
        return Ok(Exit::Pass);
    }
    let next = at_terminal(&mut review, ctx.colour)?;
    if next == Next::Quit || review.chosen.is_empty() {
        drop(held);
        output::text("nothing was decided\n")?;
        return Ok(Exit::Review);
    }
    sign(&mut desk, &review, args, ctx, store)
}

/// What is undecided, each with what approving it would change.
fn items(desk: &Desk, ctx: &Ctx) -> Result<Vec<Item>, Error> {
    let before =
        desk.base.as_ref().map(|base| desk.pack.approved_surface(base, &desk.agreed(ctx))).transpose()?;
    let findings = cask_core::diff::compare(before.as_ref(), &desk.pack.surface);
    let standings = desk.standings(ctx)?;
    let open = |id: &String| match standings.get(id) {
        Some(Standing::Approved) => None,
        Some(standing) => Some(word(*standing)),
        None => Some("pending"),
    };
    let decided =
        |id: &String| desk.lockfile.subjects.get(id).is_some_and(|entry| entry.state == State::Blocked);
    // What changed for all tools of a host is said of the host, and is part of what each of them is.
    let tools = desk.pack.surface.tools.iter();
    let hosts: BTreeMap<String, String> = tools
        .map(|tool| {
            let Binding::Http(http) = &tool.binding;
            (format!("tool/{}", tool.name), format!("host/{}", http.host))
        })
        .collect();
    let item = |id: &String| {
        let standing = open(id).filter(|_| !decided(id))?;
        let about = |finding: &Finding| {
            finding.at.subject == *id || hosts.get(id).is_some_and(|host| finding.at.subject == *host)
        };
        let lines = findings.iter().filter(|(_, one)| about(one)).flat_map(|(_, one)| lines(one)).collect();
        Some(Item { id: id.clone(), risk: desk.now.get(id)?.risk, standing, lines })
    };
    Ok(desk.now.keys().filter_map(item).collect())
}

fn lines(finding: &Finding) -> Vec<Line> {
    let tone = match finding.severity {
        Severity::Breaking => Tone::Breaking,
        Severity::Warning => Tone::Warning,
        Severity::Info => Tone::Plain,
    };
    let line = |tone, text: String| Line { tone, text };
    let mut out = vec![line(tone, terminal(&finding.message))];
    out.extend(finding.details.iter().map(|detail| line(Tone::Plain, format!("  {}", whole(detail)))));
    for (tone, sign, value) in [(Tone::Before, '-', &finding.before), (Tone::After, '+', &finding.after)] {
        if let Some(value) = value {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            out.push(line(tone, format!("  {sign} {}", whole(&text))));
        }
    }
    out.push(line(Tone::Plain, String::new()));
    out
}

/// Draws and reads keys until something is to be done. However it ends, the terminal is as it was.
fn at_terminal(review: &mut Review, colour: bool) -> Result<Next, Error> {
    let failed = |error: std::io::Error| Error::new(format_args!("the terminal: {error}"));
    let mut screen = ratatui::try_init().map_err(failed)?;
    let outcome = loop {
        if let Err(error) = screen.draw(|frame| draw::draw(frame, review, colour)) {
            break Err(failed(error));
        }
        match event::read() {
            Ok(Event::Key(key)) if key.kind != KeyEventKind::Release => match review.press(key) {
                Next::Go => {}
                next => break Ok(next),
            },
            Ok(_) => {}
            Err(error) => break Err(failed(error)),
        }
    };
    ratatui::restore();
    outcome
}

/// Signs all that was chosen, in one revision.
fn sign(desk: &mut Desk, review: &Review, args: &Args, ctx: &Ctx, store: &Store) -> Result<Exit, Error> {
    let of = |wanted: Choice| -> BTreeSet<String> {
        let chosen = review.chosen.iter().filter(|(_, (choice, _))| *choice == wanted);
        chosen.map(|(id, _)| id.clone()).collect()
    };
    let allowed = of(Choice::Allow);
    if allowed.contains(cask_core::lock::POLICY) {
        sound(&desk.pack)?;
    }
    signable(&desk.pack, &allowed)?;
    scopes::sound(&desk.pack, &allowed)?;
    let by = |reason: &str| By { reason: reason.to_owned(), who: args.who.clone() };
    let signer = desk.signer(ctx, store, &by(""))?;
    for (id, (choice, reason)) in &review.chosen {
        let state = if *choice == Choice::Allow { State::Approved } else { State::Blocked };
        desk.decide(&BTreeSet::from([id.clone()]), state, None, &by(reason), &signer, ctx)?;
    }
    let path = desk.commit(store, ctx, &by(""), &signer, true)?;
    let blocked = of(Choice::Block);
    let mut text = format!(
        "approved {} and blocked {} as {}: {}\n",
        ui::count(allowed.len() as u64, "subject"),
        blocked.len(),
        terminal(&signer.id),
        path.display()
    );
    text += &desk.list("approved ", &allowed.iter().collect::<Vec<_>>());
    text += &desk.list("blocked ", &blocked.iter().collect::<Vec<_>>());
    let left = desk.undecided();
    text += &desk.list("still to decide: ", &left.iter().collect::<Vec<_>>());
    let short = desk.short(ctx)?;
    text += &desk.list("not served before more signers agree: ", &short.iter().collect::<Vec<_>>());
    output::text(&text)?;
    Ok(Exit::Pass)
}
