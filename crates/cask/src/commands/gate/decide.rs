//! Decisions: `allow`, `block`, and `sync`, which prepares them.

use std::collections::{BTreeMap, BTreeSet};

use cask_core::endpoint::Risk;
use cask_core::guard::policy::Policy;
use cask_core::lock::change::{self, same};
use cask_core::lock::seen::Seen;
use cask_core::lock::sign::{self, Pen};
use cask_core::lock::status::{Against, Standing, accept, agreed, standings};
use cask_core::lock::trust::{Role, Trust};
use cask_core::lock::{Entry, Lockfile, NotApproved, POLICY, SCOPE, State};
use cask_core::report::escape::{lines, terminal};
use cask_core::toolpack::Binding;

use super::{Which, accepted, base, scopes};
use crate::ctx::Ctx;
use crate::error::{Error, Exit};
use crate::keys::{self, Who};
use crate::output;
use crate::store::Store;
use crate::store::folder::{self, APPROVED, PENDING};
use crate::store::pack::Pack;
use crate::{trust, ui};

const TIERS: [&str; 5] = ["safe", "low", "medium", "high", "critical"];

#[derive(Debug, clap::Args)]
pub(super) struct Allow {
    /// Tools by name; also `policy`, `toolset/<name>`, `host/<name>` and `scope/<name>`
    #[arg(required_unless_present_any = ["all", "toolset", "risk_max", "only"])]
    tools: Vec<String>,
    /// Everything that is not blocked, and the removal of what is gone
    #[arg(long)]
    all: bool,
    /// Every tool of this toolset
    #[arg(long, value_name = "NAME")]
    toolset: Vec<String>,
    /// Every tool up to this risk; with --all or --toolset, nothing above it
    #[arg(long, value_name = "TIER", value_parser = TIERS)]
    risk_max: Option<String>,
    /// Every tool of this risk; with --all or --toolset, nothing of another
    #[arg(long, value_name = "TIER", value_parser = TIERS, conflicts_with = "risk_max")]
    only: Vec<String>,
    /// When the approval ends (RFC 3339, or a date)
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// Also approve critical tools that nobody named, without asking
    #[arg(long, short)]
    yes: bool,
    #[command(flatten)]
    by: By,
    #[command(flatten)]
    which: Which,
}

#[derive(Debug, clap::Args)]
pub(super) struct Block {
    /// Tools by name
    #[arg(required = true)]
    tools: Vec<String>,
    #[command(flatten)]
    by: By,
    #[command(flatten)]
    which: Which,
}

#[derive(Debug, clap::Args)]
pub(super) struct By {
    /// Why
    #[arg(long, default_value = "")]
    pub reason: String,
    #[command(flatten)]
    pub who: Who,
}

impl Allow {
    /// Whether tools are chosen by their risk.
    fn by_risk(&self) -> bool {
        self.risk_max.is_some() || !self.only.is_empty()
    }

    /// Whether a subject is of a risk that was asked for.
    fn fits(&self, risk: Risk) -> bool {
        let named = |tier: &String| Risk::ALL.into_iter().find(|one| one.as_str() == tier);
        let below = self.risk_max.as_ref().and_then(named).is_none_or(|most| risk <= most);
        below && (self.only.is_empty() || self.only.iter().filter_map(named).any(|one| one == risk))
    }
}

#[derive(Debug, clap::Args)]
pub(super) struct Sync {
    /// Leave out what the toolpack does not have any more; the next decision removes it. A block stays.
    #[arg(long)]
    prune_removed: bool,
    /// Who made the changes, where the trust wants another to approve them [default: git's user.email]
    #[arg(long, value_name = "SIGNER")]
    author: Option<String>,
    #[command(flatten)]
    which: Which,
}

/// `cask gate allow`
pub(super) fn allow(args: &Allow, ctx: &Ctx, store: &Store) -> Result<Exit, Error> {
    let until = args.until.as_deref().map(|text| end(text, &ctx.now())).transpose()?;
    let _held = store.lock("gate allow")?;
    let mut desk = Desk::open(&args.which, ctx, store)?;
    let typed = desk.subjects(&args.tools)?;
    let named = chosen(args, &desk, &typed)?;
    let standings = desk.standings(ctx)?;
    let mut wanted = along(&desk, &named, &standings);
    let by_risk = args.by_risk();
    if args.all && !by_risk {
        wanted.extend(desk.now.keys().cloned());
    }
    let blocked = |desk: &Desk, id: &str| {
        desk.lockfile.subjects.get(id).is_some_and(|entry| entry.state == State::Blocked)
    };
    // A block is lifted by name, never because a toolset or a tier holds what is blocked.
    wanted.retain(|id| typed.contains(id) || !blocked(&desk, id));
    wanted.retain(|id| named.contains(id) || standings.get(id) != Some(&Standing::Approved));
    // What is of high risk and a guess is approved by name only, and then it is refused with what to do about it.
    let guessed: Vec<(String, String)> = scopes::guesses(&desk.pack, &wanted)?
        .into_iter()
        .filter(|(tool, _)| !typed.contains(&format!("tool/{tool}")))
        .collect();
    wanted.retain(|id| !guessed.iter().any(|(tool, _)| *id == format!("tool/{tool}")));
    if wanted.contains(POLICY) {
        sound(&desk.pack)?;
    }
    signable(&desk.pack, &wanted)?;
    scopes::sound(&desk.pack, &wanted)?;
    ask(args, &desk, &typed, &wanted)?;
    let signer = desk.signer(ctx, store, &args.by)?;
    desk.decide(&wanted, State::Approved, until.as_deref(), &args.by, &signer, ctx)?;
    let removed = desk.remove(args.all && !by_risk);
    let skipped = desk.now.keys().filter(|id| blocked(&desk, id)).count();
    let changed = !wanted.is_empty() || !removed.is_empty();
    let path = desk.commit(store, ctx, &args.by, &signer, changed)?;
    let mut text =
        format!("approved {} as {}: {}\n", count(wanted.len()), terminal(&signer.id), path.display());
    let (asked, along): (Vec<&String>, Vec<&String>) =
        wanted.iter().partition(|id| named.contains(*id) || (args.all && id.starts_with("tool/")));
    text.push_str(&desk.list("", &asked));
    text.push_str(&desk.list("with what serves them: ", &along));
    for id in removed {
        text.push_str(&format!("removed {}: it is no longer in the toolpack\n", terminal(&id)));
    }
    if skipped > 0 {
        let stay = if skipped == 1 { "stays blocked" } else { "stay blocked" };
        text.push_str(&format!("{} {stay}; name one to lift its block\n", count(skipped)));
    }
    let left = desk.undecided();
    text.push_str(&desk.list("still to decide: ", &left.iter().collect::<Vec<_>>()));
    let short = desk.short(ctx)?;
    text.push_str(&desk.list("not served before more signers agree: ", &short.iter().collect::<Vec<_>>()));
    if let Some((_, scope)) = guessed.first() {
        let tools: Vec<String> = guessed.iter().map(|(tool, _)| format!("tool/{tool}")).collect();
        text.push_str(&desk.list(
            "left out, because what their scope is for is a guess of high risk: ",
            &tools.iter().collect::<Vec<_>>(),
        ));
        text.push_str(&format!("  {}\n", scopes::taken_over(scope)));
    }
    output::text(&text)?;
    Ok(if guessed.is_empty() { Exit::Pass } else { Exit::Review })
}

/// What was named: by itself, by its toolset, by its risk.
fn chosen(args: &Allow, desk: &Desk, typed: &BTreeSet<String>) -> Result<BTreeSet<String>, Error> {
    let mut wanted = typed.clone();
    for name in &args.toolset {
        let Some(tools) = desk.pack.surface.toolsets.get(name) else {
            return Err(no_toolset(&desk.pack, name));
        };
        wanted.insert(format!("toolset/{name}"));
        wanted.extend(tools.iter().map(|tool| format!("tool/{tool}")));
    }
    let of_risk = |id: &String| desk.now.get(id).is_some_and(|now| args.fits(now.risk));
    if args.by_risk() && args.tools.is_empty() && args.toolset.is_empty() {
        wanted.extend(desk.now.keys().filter(|id| id.starts_with("tool/") && of_risk(id)).cloned());
    }
    wanted.retain(|id| !id.starts_with("tool/") || of_risk(id));
    Ok(wanted)
}

/// What was named, with what serves it: a tool is served through its toolsets, on its host, under the policy. Whoever
/// approves a tool has seen which toolsets it is in and where it calls. But nothing on which somebody has decided is
/// decided on again in passing, unless it is what was decided on, for tools of a higher risk.
fn along(desk: &Desk, named: &BTreeSet<String>, standings: &BTreeMap<String, Standing>) -> BTreeSet<String> {
    let known = |id: &str| {
        let entry = desk.base.as_ref().and_then(|base| base.subjects.get(id));
        entry.is_some_and(|entry| entry.state != State::Pending || !entry.withdrawn.is_empty())
    };
    let lacks = |id: &str, risk: Risk| match standings.get(id) {
        None | Some(Standing::Not(NotApproved::Pending)) => !known(id),
        Some(Standing::Not(NotApproved::Raised)) => {
            desk.lockfile.subjects.get(id).is_some_and(|entry| entry.risk < risk)
        }
        // its members are named by their own approvals: what others are in it serves nothing
        Some(Standing::Not(NotApproved::Changed)) => id.starts_with("toolset/"),
        Some(_) => false,
    };
    let mut wanted = named.clone();
    let mut highest = Risk::Safe;
    for tool in &desk.pack.surface.tools {
        let id = format!("tool/{}", tool.name);
        let Some(now) = desk.now.get(&id).filter(|_| named.contains(&id)) else { continue };
        let Binding::Http(http) = &tool.binding;
        highest = highest.max(now.risk);
        let toolsets = now.toolsets.iter().map(|name| format!("toolset/{name}"));
        let serving = toolsets.chain([format!("host/{}", http.host)]);
        wanted.extend(serving.filter(|id| lacks(id, now.risk)));
    }
    if named.iter().any(|id| id.starts_with("tool/")) && lacks(POLICY, highest) {
        wanted.insert(POLICY.to_owned());
    }
    wanted
}

/// `cask gate block`
pub(super) fn block(args: &Block, ctx: &Ctx, store: &Store) -> Result<Exit, Error> {
    let _held = store.lock("gate block")?;
    let mut desk = Desk::open(&args.which, ctx, store)?;
    let wanted = desk.subjects(&args.tools)?;
    let signer = desk.signer(ctx, store, &args.by)?;
    desk.decide(&wanted, State::Blocked, None, &args.by, &signer, ctx)?;
    let path = desk.commit(store, ctx, &args.by, &signer, true)?;
    let list = desk.list("", &wanted.iter().collect::<Vec<_>>());
    let head = format!("blocked {} as {}: {}\n", count(wanted.len()), terminal(&signer.id), path.display());
    output::text(&(head + &list))?;
    Ok(Exit::Pass)
}

/// `cask gate sync`
pub(super) fn sync(args: &Sync, ctx: &Ctx, store: &Store) -> Result<Exit, Error> {
    let _held = store.lock("gate sync")?;
    let pack = args.which.open(store)?;
    let trust = trust::current(store, ctx)?;
    let (base, seen) = base(&pack, store, &trust, &ctx.now())?;
    let mut pending = next(base.as_ref(), seen.as_ref(), &pack)?;
    let now = change::subjects(&pack.surface).map_err(Error::new)?;
    let mut pruned = Vec::new();
    if args.prune_removed {
        pending.subjects.retain(|id, entry| {
            let keep = now.contains_key(id) || entry.state == State::Blocked;
            if !keep {
                pruned.push(id.clone());
            }
            keep
        });
    }
    if !trust.content().author_may_approve {
        let author = keys::signer_id(ctx, args.author.as_deref())?;
        // Who made a change stays on record for as long as it is that change.
        let file = pack.pending_file();
        let known = if file.is_file() { pack.lockfile(&file).ok() } else { None };
        for (id, entry) in &mut pending.subjects {
            // Approved before anybody asked who made it: that has to be decided again, by somebody else.
            if entry.state == State::Approved && entry.author.is_none() && now.contains_key(id) {
                let withdrawn = std::mem::take(&mut entry.withdrawn);
                *entry = Entry { withdrawn, ..now.get(id).cloned().unwrap_or_else(|| entry.clone()) };
            }
            if entry.state != State::Pending {
                continue;
            }
            let known = known.as_ref().and_then(|known| known.subjects.get(id));
            let same = known.filter(|known| known.digest == entry.digest && known.author.is_some());
            entry.author = same.map_or_else(|| Some(author.clone()), |known| known.author.clone());
        }
    }
    let path = pack.write_lockfile(PENDING, &pending)?;
    let old = |id: &String| base.as_ref().and_then(|base| base.subjects.get(id));
    let mut text = String::new();
    for (id, entry) in &pending.subjects {
        let what = match (old(id), now.get(id)) {
            (_, None) => "removed",
            (None, _) => "new",
            (Some(old), Some(now)) if !same(now, old) => "changed",
            _ if entry.state == State::Pending => "pending",
            _ => continue,
        };
        text.push_str(&format!("{what:<8} {}\n", terminal(id)));
    }
    for id in pruned {
        text.push_str(&format!("{:<8} {}\n", "pruned", terminal(&id)));
    }
    if text.is_empty() {
        text.push_str("nothing changed\n");
    }
    output::text(&format!("{text}wrote {}\n", path.display()))?;
    Ok(Exit::Pass)
}

/// The lockfile that comes next: after the sealed one, and after every one that was accepted here.
fn next(base: Option<&Lockfile>, seen: Option<&Seen>, pack: &Pack) -> Result<Lockfile, Error> {
    folder::pending(base, seen, &pack.surface)
}

/// Everything that a decision needs, on one desk.
pub(super) struct Desk {
    pub pack: Pack,
    pub trust: Trust,
    seen: Option<Seen>,
    /// The sealed lockfile that this builds on.
    pub base: Option<Lockfile>,
    /// What every subject is now.
    pub now: std::collections::BTreeMap<String, cask_core::lock::Entry>,
    /// The next sealed lockfile, in the making.
    pub lockfile: Lockfile,
    /// What the reviewed lockfile leaves out of the sealed one: it is not in the toolpack any more.
    pruned: Vec<String>,
}

impl Desk {
    pub fn open(which: &Which, ctx: &Ctx, store: &Store) -> Result<Self, Error> {
        let pack = which.open(store)?;
        let path = which.lockfile.clone().unwrap_or_else(|| pack.pending_file());
        if !path.is_file() {
            return Err(Error::new(format_args!("no lockfile at {}", path.display()))
                .hint("write it with `cask gate sync`"));
        }
        let reviewed = pack.lockfile(&path)?;
        if reviewed.toolpack != pack.surface.toolpack {
            return Err(Error::new(format_args!(
                "{} is for toolpack {}, not for {}",
                path.display(),
                terminal(&reviewed.toolpack),
                terminal(&pack.surface.toolpack)
            ))
            .hint("give the lockfile and the toolpack that belong together"));
        }
        trust::check_there(store)?;
        let trust = trust::current(store, ctx)?;
        let (base, seen) = base(&pack, store, &trust, &ctx.now())?;
        let mut next = next(base.as_ref(), seen.as_ref(), &pack)?;
        let mut now = change::subjects(&pack.surface).map_err(Error::new)?;
        base.iter().for_each(|base| change::raise(&mut now, base));
        // Who made a change is said where it is prepared, and signed by who approves it.
        for (id, entry) in &mut now {
            let known = reviewed.subjects.get(id).and_then(|entry| entry.author.clone());
            entry.author.clone_from(&known);
            if let Some(next) = next.subjects.get_mut(id) {
                next.author = known;
            }
        }
        let gone = |id: &&String| !now.contains_key(*id) && !reviewed.subjects.contains_key(*id);
        let pruned: Vec<String> = next
            .subjects
            .iter()
            .filter(|(id, entry)| entry.state != State::Blocked && gone(id))
            .map(|(id, _)| id.clone())
            .collect();
        next.subjects.retain(|id, _| !pruned.contains(id));
        folder::stale(&reviewed, &next).map_or(Ok(()), |id| {
            Err(Error::new(format_args!(
                "{} is out of date: {} is not what it says",
                path.display(),
                terminal(id)
            ))
            .hint("bring it up to date with `cask gate sync`, look at `cask diff`, then decide"))
        })?;
        // What nobody decides on now stays what it was: a changed tool keeps its old approval on record,
        // which does not cover what it has become.
        let mut lockfile = next;
        for (id, entry) in base.iter().flat_map(|base| &base.subjects) {
            lockfile.subjects.insert(id.clone(), entry.clone());
        }
        Ok(Self { pack, trust, seen, base, now, lockfile, pruned })
    }

    /// The sealed lockfile itself, to be sealed anew without a decision.
    pub fn sealed(pack: Pack, trust: Trust, base: Lockfile) -> Result<Self, Error> {
        let now = change::subjects(&pack.surface).map_err(Error::new)?;
        let previous = Some(base.digest().map_err(Error::new)?);
        let revision = base.revision.saturating_add(1);
        let lockfile = Lockfile { revision, previous, seal: None, ..base.clone() };
        Ok(Self { pack, trust, seen: None, base: Some(base), now, lockfile, pruned: Vec::new() })
    }

    /// Who signs. Asked last: a key and a trust file are made only for a decision that is made.
    pub fn signer(&mut self, ctx: &Ctx, store: &Store, by: &By) -> Result<keys::Identity, Error> {
        let identity = keys::identity(ctx, store, &by.who, &self.trust)?;
        trust::to_sign(store, ctx, &identity)?;
        self.trust = trust::current(store, ctx)?;
        // A seal that nobody would accept leaves nothing that runs.
        let decided = self.lockfile.subjects.values().filter(|entry| entry.state != State::Pending);
        let risk = decided.map(|entry| entry.risk).max().unwrap_or(Risk::Safe);
        let key = identity.signer.key().id();
        self.trust.may(&identity.id, &key, Role::Seal, risk, &ctx.now()).map_err(|miss| {
            Error::new(format_args!("`{}` cannot seal this lockfile: {}", identity.id, miss.words())).hint(
                "`cask gate export` writes your approval to a file, which another signer imports; `cask trust show` lists who may",
            )
        })?;
        Ok(identity)
    }

    /// Takes out what the toolpack does not have any more: everything, or what the reviewed lockfile leaves out. A block
    /// stays.
    pub fn remove(&mut self, all: bool) -> Vec<String> {
        let (now, pruned) = (&self.now, &self.pruned);
        let mut removed = Vec::new();
        self.lockfile.subjects.retain(|id, entry| {
            let gone = !now.contains_key(id) && entry.state != State::Blocked && (all || pruned.contains(id));
            // A scope that is gone holds its tools still: its limits go by approving that it holds nothing.
            if !gone || (id.starts_with(SCOPE) && !entry.tools.is_empty()) {
                return true;
            }
            if entry.state == State::Approved {
                removed.push(id.clone());
            }
            // What was taken back stays on record: should the subject come again, it does not come back with it.
            entry.state = State::Pending;
            entry.approvals.clear();
            !entry.withdrawn.is_empty()
        });
        removed
    }

    /// Subjects on which enough signers agreed.
    pub fn agreed(&self, ctx: &Ctx) -> BTreeSet<String> {
        let now = ctx.now();
        agreed(&self.lockfile, &Against { trust: &self.trust, now: &now, seen: None })
    }

    /// Approved subjects on which too few agree.
    pub fn short(&self, ctx: &Ctx) -> Result<Vec<String>, Error> {
        let standings = self.standings(ctx)?;
        Ok(standings
            .into_iter()
            .filter(|(_, one)| *one == Standing::Not(NotApproved::Short))
            .map(|(id, _)| id)
            .collect())
    }

    /// A line with subjects and their risks; as counts once they are many.
    pub fn list(&self, label: &str, ids: &[&String]) -> String {
        const SHOWN: usize = 12;
        let risk = |id: &str| self.now.get(id).map_or("gone", |entry| entry.risk.as_str());
        let mut shown: Vec<String> =
            ids.iter().take(SHOWN).map(|id| format!("{} ({})", terminal(id), risk(id))).collect();
        if let more @ 1.. = ids.len().saturating_sub(SHOWN) {
            shown.push(format!("and {more} more"));
        }
        if shown.is_empty() { String::new() } else { format!("  {label}{}\n", shown.join(", ")) }
    }

    /// Subject ids of what was typed; all that are unknown are named.
    pub fn subjects(&self, typed: &[String]) -> Result<BTreeSet<String>, Error> {
        let id = |name: &String| match name.as_str() {
            "policy" => POLICY.to_owned(),
            name if ["tool/", "toolset/", "host/", "scope/"].iter().any(|kind| name.starts_with(kind))
                || name == POLICY =>
            {
                name.to_owned()
            }
            name => format!("tool/{name}"),
        };
        let ids: BTreeSet<String> = typed.iter().map(id).collect();
        let unknown: Vec<String> =
            ids.iter().filter(|id| !self.now.contains_key(*id)).map(|id| terminal(id)).collect();
        if unknown.is_empty() {
            return Ok(ids);
        }
        Err(Error::new(format_args!("not in this toolpack: {}", unknown.join(", ")))
            .hint("`cask gate status` lists what there is"))
    }

    pub fn standings(&self, ctx: &Ctx) -> Result<std::collections::BTreeMap<String, Standing>, Error> {
        let against = Against { trust: &self.trust, now: &ctx.now(), seen: self.seen.as_ref() };
        standings(&self.pack.surface, &self.lockfile, &against)
            .map_err(|refused| Error::new(&refused.message).hint(refused.hint))
    }

    pub fn decide(
        &mut self,
        ids: &BTreeSet<String>,
        state: State,
        until: Option<&str>,
        by: &By,
        signer: &keys::Identity,
        ctx: &Ctx,
    ) -> Result<(), Error> {
        let at = ctx.now();
        let pen = pen(signer, &at, until, by);
        for id in ids {
            let Some(now) = self.now.get(id) else { continue };
            change::decide(&mut self.lockfile, id, now, state, &pen).map_err(Error::new)?;
        }
        Ok(())
    }

    /// Seals and writes. The order matters to whoever is killed in between: what the lockfile refers to
    /// comes before it, what refers to it comes after.
    pub fn commit(
        &mut self,
        store: &Store,
        ctx: &Ctx,
        by: &By,
        signer: &keys::Identity,
        changed: bool,
    ) -> Result<std::path::PathBuf, Error> {
        let path = self.pack.dir.join(APPROVED);
        if changed || !path.is_file() {
            let at = ctx.now();
            let seal = sign::seal(&self.lockfile, &pen(signer, &at, None, by)).map_err(Error::new)?;
            self.lockfile.seal = Some(seal);
            // What nobody would accept is never written: there would be no way back from it.
            let against = Against { trust: &self.trust, now: &at, seen: self.seen.as_ref() };
            accept(&self.lockfile, &self.pack.surface.toolpack, &against).map_err(|refused| {
                Error::new(format_args!("`{}` cannot seal this: {}", signer.id, refused.message)).hint(
                    "`cask gate export --sign` writes your approval to a file, which another signer imports; `cask trust show` lists who may",
                )
            })?;
            self.pack.keep_contents(&self.lockfile)?;
            self.pack.write_lockfile(APPROVED, &self.lockfile)?;
        } else if let Some(base) = self.base.clone() {
            self.lockfile = base;
        }
        self.pack.name_lockfile(Some(APPROVED))?;
        let trust = self.trust.digest().map_err(Error::new)?;
        store.remember(&self.lockfile.toolpack, Seen::of(&self.lockfile).map_err(Error::new)?, trust)?;
        self.pack.write_lockfile(PENDING, &next(Some(&self.lockfile), None, &self.pack)?)?;
        // The decision is made; a baseline that cannot be read takes nothing back, least of all a block.
        if let Err(error) = accepted::keep(store, &self.pack, &self.now, &self.lockfile, &self.agreed(ctx)) {
            eprintln!(
                "warning: drift still compares with what was accepted before: {}",
                lines(&error.message)
            );
        }
        Ok(path)
    }

    /// Subjects that nobody has decided on as they are now.
    pub fn undecided(&self) -> Vec<String> {
        let decided = |id: &String, now| {
            self.lockfile.subjects.get(id).is_some_and(|entry| {
                entry.state == State::Blocked || (entry.state == State::Approved && same(now, entry))
            })
        };
        self.now.iter().filter(|(id, now)| !decided(id, now)).map(|(id, _)| id.clone()).collect()
    }
}

pub(super) fn pen<'a>(
    signer: &'a keys::Identity,
    at: &'a str,
    until: Option<&'a str>,
    by: &'a By,
) -> Pen<'a> {
    Pen { by: &signer.id, at, until, reason: &by.reason, signer: signer.signer.as_ref() }
}

/// Refuses to sign a policy that says nothing, or something else than its author thinks: one that does not
/// parse, or speaks of actions and arguments that no tool has.
pub(super) fn sound(pack: &Pack) -> Result<(), Error> {
    let faults = Policy::faults(&pack.surface.policy, &pack.surface.tools, &pack.surface.toolsets);
    if faults.is_empty() {
        return Ok(());
    }
    let faults: Vec<String> =
        faults.iter().take(10).map(|fault| format!("\n  {}", terminal(fault))).collect();
    let path = pack.dir.join(cask_core::artifact::manifest::POLICY);
    Err(Error::new(format_args!("{} cannot be approved:{}", path.display(), faults.concat()))
        .hint("artifact/policy.cedarschema lists every action with its arguments"))
}

/// Refuses to sign a tool whose text is not the one canonical form of what was reviewed.
pub(super) fn signable(pack: &Pack, wanted: &BTreeSet<String>) -> Result<(), Error> {
    let asked = pack.surface.tools.iter().filter(|tool| wanted.contains(&format!("tool/{}", tool.name)));
    let Some(odd) = asked.into_iter().find(|tool| !tool.is_canonical()) else { return Ok(()) };
    let path = pack.dir.join(cask_core::artifact::manifest::TOOLS);
    Err(Error::new(format_args!(
        "{}: tool `{}` is not written as cask writes it (canonical JSON, RFC 8785), so it cannot be signed",
        path.display(),
        terminal(&odd.name)
    ))
    .hint("mint again; what was changed by hand belongs into the policy or the toolsets"))
}

/// Nobody approves critical tools by accident: those that nobody named, by name or by tier, are asked for, and where nobody is
/// there to answer, they take `--yes`.
fn ask(args: &Allow, desk: &Desk, typed: &BTreeSet<String>, wanted: &BTreeSet<String>) -> Result<(), Error> {
    let critical: Vec<&str> = wanted
        .difference(typed)
        .filter(|id| desk.now.get(*id).is_some_and(|now| now.risk == Risk::Critical))
        .filter_map(|id| id.strip_prefix("tool/"))
        .collect();
    let tier = args.risk_max.iter().chain(&args.only).any(|tier| tier == Risk::Critical.as_str());
    if args.yes || tier || critical.is_empty() {
        return Ok(());
    }
    let shown: Vec<String> = critical.iter().take(8).map(|name| terminal(name)).collect();
    let tools = format!(
        "{} ({}{})",
        ui::count(critical.len() as u64, "critical tool"),
        shown.join(", "),
        if critical.len() > shown.len() { ", …" } else { "" }
    );
    match ui::confirm(&format!("approve {tools} too?")) {
        Some(true) => Ok(()),
        Some(false) => Err(Error::new("nothing was approved")),
        None => Err(Error::new(format_args!(
            "nothing was approved: {tools} would be too, that nobody named, and nobody is here to ask"
        ))
        .hint("name what is meant, leave it out with --risk-max high, or say --yes")),
    }
}

/// The end of an approval: an RFC 3339 time, or the start of a day in UTC.
fn end(text: &str, now: &str) -> Result<String, Error> {
    let wrong = |what: &str| {
        Error::new(format_args!("--until `{}` {what}", terminal(text)))
            .hint("write it like 2027-01-31 or 2027-01-31T12:00:00Z")
    };
    let time = ui::time(text).ok_or_else(|| wrong("is not a time"))?;
    if time.as_str() <= now { Err(wrong("is over already")) } else { Ok(time) }
}

fn count(subjects: usize) -> String {
    ui::count(subjects as u64, "subject")
}

/// The toolset that was typed is not there; which are.
pub(super) fn no_toolset(pack: &Pack, name: &str) -> Error {
    let there = pack.surface.toolsets.keys().map(|name| terminal(name)).collect::<Vec<_>>();
    Error::new(format_args!("no toolset `{}`", terminal(name)))
        .hint(format_args!("there are {}", there.join(", ")))
}

/// Every word that [`word`] says.
pub(super) const WORDS: [&str; 14] = [
    "approved",
    "removed",
    "pending",
    "blocked",
    "changed",
    "unsigned",
    "bad-signature",
    "expired",
    "short",
    "revoked",
    "raised",
    "host",
    "scope",
    "out-of-scope",
];

/// Why a subject is not usable, in one word.
pub(super) fn word(standing: Standing) -> &'static str {
    match standing {
        Standing::Approved => "approved",
        Standing::Removed => "removed",
        Standing::Not(NotApproved::Pending) => "pending",
        Standing::Not(NotApproved::Blocked) => "blocked",
        Standing::Not(NotApproved::Changed) => "changed",
        Standing::Not(NotApproved::Unsigned) => "unsigned",
        Standing::Not(NotApproved::BadSignature) => "bad-signature",
        Standing::Not(NotApproved::Expired) => "expired",
        Standing::Not(NotApproved::Short) => "short",
        Standing::Not(NotApproved::Revoked) => "revoked",
        Standing::Not(NotApproved::Raised) => "raised",
        Standing::Not(NotApproved::Host) => "host",
        Standing::Not(NotApproved::Scope) => "scope",
        Standing::Not(NotApproved::OutOfScope) => "out-of-scope",
    }
}
