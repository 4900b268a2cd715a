//! `cask trust`: who may decide, and how many of them it takes.

use cask_core::canon::Digest;
use cask_core::endpoint::Risk;
use cask_core::finding::{At, Basis, Finding, Severity};
use cask_core::lock::key::Key;
use cask_core::lock::trust::{Content, Role, Signer, Trust};
use cask_core::report::escape::terminal;
use cask_core::report::{Report, Section};
use serde_json::json;

use crate::ctx::Ctx;
use crate::error::{Error, Exit};
use crate::keys::Who;
use crate::output::{self, Style};
use crate::store::{self, Store};
use crate::trust::{self, Changed};
use crate::ui;

/// Say who may approve, up to which risk, and how many of them it takes.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Begin: you are the first signer, and may do everything
    Init(Reason),
    /// Show who is trusted, and the digest to pin with --trust-root
    Show(Show),
    /// Trust another signer, or change what one may do
    ///
    /// Example: cask trust add bob@example.com --key bob.pub --role approve --max-risk medium
    Add(Add),
    /// Trust a signer no longer: nothing they signed counts any more
    Remove {
        /// The signer's id
        signer: String,
        #[command(flatten)]
        reason: Reason,
    },
    /// Say how many distinct signers it takes
    ///
    /// Example: cask trust threshold critical 2
    Threshold {
        /// A risk tier, or `trust` for changes of the trust itself
        #[arg(value_parser = ["safe", "low", "medium", "high", "critical", "trust"])]
        tier: String,
        /// How many
        signers: u32,
        #[command(flatten)]
        reason: Reason,
    },
    /// Say whether whoever made a change counts among those who approve it
    SelfApproval {
        /// `on` or `off`
        #[arg(value_parser = ["on", "off"])]
        value: String,
        #[command(flatten)]
        reason: Reason,
    },
    /// Agree to the change that waits for more signers, after it is shown
    Approve {
        /// Agree without being asked, to the change with this digest (`cask trust show` prints it)
        #[arg(long, value_name = "DIGEST")]
        digest: Option<Digest>,
        #[command(flatten)]
        reason: Reason,
    },
    /// Remove the change that waits
    Discard,
    /// Check that the trust holds together: 0 it does, 1 something to look at, 3 it is refused
    Check {
        /// How to print it
        #[arg(long, value_enum, default_value_t)]
        format: Style,
    },
}

#[derive(Debug, Default, clap::Args)]
struct Reason {
    #[command(flatten)]
    who: Who,
    /// Why
    #[arg(long, default_value = "")]
    reason: String,
}

#[derive(Debug, clap::Args)]
struct Show {
    /// As canonical JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct Add {
    /// The signer's id, usually an e-mail address
    signer: String,
    /// A public key: `ed25519:…`, `ssh-ed25519 …`, or a file that holds one
    #[arg(long, value_name = "KEY")]
    key: Vec<String>,
    /// What they may do [default: approve and seal]
    #[arg(long, value_enum, value_name = "ROLE")]
    role: Vec<RoleWord>,
    /// The highest risk that they may decide on
    #[arg(long, value_name = "TIER", value_parser = ["safe", "low", "medium", "high", "critical"])]
    max_risk: Option<String>,
    /// What they signed before does not count (RFC 3339, or a date)
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// What they sign from then on does not count (RFC 3339, or a date)
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    #[command(flatten)]
    reason: Reason,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum RoleWord {
    /// Allow and block subjects
    Approve,
    /// Seal lockfiles
    Seal,
    /// Change who is trusted
    Trust,
}

impl From<RoleWord> for Role {
    fn from(word: RoleWord) -> Self {
        match word {
            RoleWord::Approve => Self::Approve,
            RoleWord::Seal => Self::Seal,
            RoleWord::Trust => Self::Trust,
        }
    }
}

/// Runs the command.
///
/// # Errors
/// [`Error`] if it could not be done.
pub fn run(args: Args, ctx: &Ctx) -> Result<Exit, Error> {
    let store = Store::new(&ctx.root);
    let change = |reason: &Reason, name: &str, change: &dyn Fn(&mut Content) -> Result<(), Error>| {
        let _held = store.lock(name)?;
        told(&trust::change(&store, ctx, &reason.who, &reason.reason, change)?, ctx)
    };
    match args.command {
        Command::Init(reason) => init(&reason, ctx, &store),
        Command::Show(args) => show(&args, ctx, &store),
        Command::Add(args) => {
            let keys = args.key.iter().map(|text| key(text)).collect::<Result<Vec<String>, Error>>()?;
            change(&args.reason, "trust add", &|content| add(&args, &keys, content))
        }
        Command::Remove { signer, reason } => change(&reason, "trust remove", &|content| {
            let before = content.signers.len();
            content.signers.retain(|one| one.id != signer);
            if content.signers.len() == before { Err(nobody(&signer, content)) } else { Ok(()) }
        }),
        Command::Threshold { tier, signers, reason } => change(&reason, "trust threshold", &|content| {
            if let Some(count) = content.thresholds.get_mut(&tier) {
                *count = signers;
            }
            Ok(())
        }),
        Command::SelfApproval { value, reason } => change(&reason, "trust self-approval", &|content| {
            content.author_may_approve = value == "on";
            Ok(())
        }),
        Command::Approve { digest, reason } => approve(digest, &reason, ctx, &store),
        Command::Discard => {
            let _held = store.lock("trust discard")?;
            let path = trust::proposal_file(&store);
            trust::waiting(&store, ctx)?;
            std::fs::remove_file(&path).map_err(|error| store::io_error("remove", &path, &error))?;
            output::text(&format!("removed {}\n", path.display()))?;
            Ok(Exit::Pass)
        }
        Command::Check { format } => check(format, ctx, &store),
    }
}

fn init(reason: &Reason, ctx: &Ctx, store: &Store) -> Result<Exit, Error> {
    let _held = store.lock("trust init")?;
    if store.trust_file().exists() {
        return Err(Error::new(format_args!("{} is there already", store.trust_file().display()))
            .hint("`cask trust show` prints it; `cask trust add` changes it"));
    }
    trust::check_there(store)?;
    if ctx.trust_root.is_some() || store.trusted()?.is_some() {
        return Err(Error::new("another trust is expected here: it is pinned, or was accepted on this machine before")
            .hint("restore trust.yaml from version control; to begin anew: `cask state accept`, without --trust-root"));
    }
    let identity = crate::keys::identity(ctx, store, &reason.who, &Trust::default())?;
    let trust = trust::begin(store, ctx, &identity)?;
    store.trust(trust.digest().map_err(Error::new)?)?;
    let path = store.trust_file();
    output::text(&format!(
        "{} may approve here, with {}\nwrote {}: commit it, so that others check against the same key\n{}",
        terminal(&identity.id),
        identity.signer.key().id(),
        path.display(),
        pin(&trust)?
    ))?;
    Ok(Exit::Pass)
}

/// Nobody agrees to what they have not seen: it is shown and asked about, or named by its digest.
fn approve(digest: Option<Digest>, reason: &Reason, ctx: &Ctx, store: &Store) -> Result<Exit, Error> {
    let _held = store.lock("trust approve")?;
    let (waiting, before) = trust::waiting(store, ctx)?;
    let shown = waiting.digest().map_err(Error::new)?;
    eprint!("{}", difference(&waiting, &before)?);
    match digest {
        Some(digest) if digest == shown => {}
        Some(_) => return Err(Error::new("another change waits than the one with that digest")),
        None if ui::confirm("agree to this?") == Some(true) => {}
        None => {
            return Err(Error::new("nothing was agreed to")
                .hint(format_args!("answer y, or where nobody can answer: --digest {shown}")));
        }
    }
    told(&trust::agree(store, ctx, &reason.who, &reason.reason, shown)?, ctx)
}

/// What a waiting change would change, and who agreed so far.
fn difference(waiting: &Trust, before: &Trust) -> Result<String, Error> {
    let agreed: Vec<String> =
        waiting.agreed(before).map_err(Error::new)?.iter().map(|by| terminal(by)).collect();
    let by = if agreed.is_empty() { "nobody whose agreement counts".to_owned() } else { agreed.join(", ") };
    let mut text = format!("trust revision {} waits, agreed to by {by}:\n", waiting.revision());
    for line in waiting.changes_from(before) {
        text += &format!("  {}\n", terminal(&line));
    }
    text += &format!("  digest {}\n", waiting.digest().map_err(Error::new)?);
    Ok(text)
}

/// What to type to pin a trust from outside.
fn pin(trust: &Trust) -> Result<String, Error> {
    let digest = trust.digest().map_err(Error::new)?;
    Ok(format!("pin it where the repository cannot write: --trust-root {digest}\n"))
}

pub(super) fn told(changed: &Changed, ctx: &Ctx) -> Result<Exit, Error> {
    let revision = changed.trust.revision();
    let agreed: Vec<String> = changed.agreed.iter().map(|by| terminal(by)).collect();
    let agreed = agreed.join(", ");
    match &changed.missing {
        None => {
            output::text(&format!(
                "trust revision {revision} counts from now on, agreed to by {agreed}\n{}commit trust.yaml and the trust folder\n",
                pin(&changed.trust)?
            ))?;
            Ok(Exit::Pass)
        }
        Some(missing) => {
            output::text(&format!(
                "trust revision {revision} waits, agreed to by {agreed}: {missing}\n  another signer: {} trust approve\n",
                ctx.command()
            ))?;
            Ok(Exit::Review)
        }
    }
}

fn nobody(signer: &str, content: &Content) -> Error {
    let there: Vec<String> = content.signers.iter().map(|one| terminal(&one.id)).collect();
    Error::new(format_args!("no signer `{}`", terminal(signer)))
        .hint(format_args!("there are {}", there.join(", ")))
}

fn add(args: &Add, keys: &[String], content: &mut Content) -> Result<(), Error> {
    if !content.signers.iter().any(|one| one.id == args.signer) {
        if keys.is_empty() {
            return Err(Error::new(format_args!("`{}` is new and has no key", terminal(&args.signer)))
                .hint("give one with --key: `cask keys show` prints it on their machine"));
        }
        let roles = [Role::Approve, Role::Seal].into();
        content.signers.push(Signer { roles, ..Signer::new(args.signer.clone(), Vec::new()) });
    }
    let Some(signer) = content.signers.iter_mut().find(|one| one.id == args.signer) else { return Ok(()) };
    for key in keys {
        if !signer.keys.contains(key) {
            signer.keys.push(key.clone());
        }
    }
    if !args.role.is_empty() {
        signer.roles = args.role.iter().copied().map(Role::from).collect();
    }
    if let Some(tier) = &args.max_risk {
        signer.max_risk = Risk::ALL.into_iter().find(|one| one.as_str() == tier).unwrap_or(Risk::Safe);
    }
    for (typed, field) in [(&args.from, &mut signer.from), (&args.until, &mut signer.until)] {
        if let Some(text) = typed {
            *field = Some(ui::time(text).ok_or_else(|| {
                Error::new(format_args!("`{}` is not a time", terminal(text)))
                    .hint("write it like 2027-01-31 or 2027-01-31T12:00:00Z")
            })?);
        }
    }
    Ok(())
}

/// A public key as it is typed: itself, or a file that holds it.
pub(super) fn key(given: &str) -> Result<String, Error> {
    let wrong = || {
        Error::new(format_args!("`{}` is not an Ed25519 public key", terminal(given)))
            .hint("give `ed25519:…`, `ssh-ed25519 …`, or the path of a .pub file; never a private key")
    };
    if let Some(key) = Key::read(given) {
        return Ok(key.text());
    }
    let path = std::path::Path::new(given);
    if !path.is_file() {
        return Err(wrong());
    }
    let text = store::read(store::dir_of(path), path, 64 << 10)?;
    if text.contains("PRIVATE KEY") {
        return Err(Error::new(format_args!("{} is a private key", path.display()))
            .hint("give the public one; the private one stays with its owner"));
    }
    let key = text.lines().find_map(|line| Key::read(line.trim())).ok_or_else(wrong)?;
    Ok(key.text())
}

fn show(args: &Show, ctx: &Ctx, store: &Store) -> Result<Exit, Error> {
    let trust = trust::current(store, ctx)?;
    if !store.trust_file().exists() {
        output::text(
            "nobody is trusted here yet: the first who approves will be, or begin with `cask trust init`\n",
        )?;
        return Ok(Exit::Pass);
    }
    let waiting = trust::proposal(store, &trust)?;
    let digest = trust.digest().map_err(Error::new)?;
    if args.json {
        let value = json!({
            "schema_version": "1",
            "digest": digest,
            "trust": trust.content(),
            "waiting": waiting.as_ref().map(Trust::content),
        });
        let bytes = cask_core::canon::canonical(&value).map_err(Error::new)?;
        output::text(&format!("{}\n", String::from_utf8_lossy(&bytes)))?;
        return Ok(Exit::Pass);
    }
    let mut text = told_of(&trust);
    text += &pin(&trust)?;
    if let Some(waiting) = waiting {
        text += &format!("\n{}", difference(&waiting, &trust)?);
    }
    output::text(&text)?;
    Ok(Exit::Pass)
}

/// A trust for people.
pub(super) fn told_of(trust: &Trust) -> String {
    let content = trust.content();
    let rows: Vec<Vec<String>> = content
        .signers
        .iter()
        .map(|signer| {
            let roles: Vec<&str> = signer.roles.iter().map(|role| role.as_str()).collect();
            let keys: Vec<String> =
                signer.keys.iter().filter_map(|text| Key::read(text)).map(|key| key.id()).collect();
            let window = [("from", &signer.from), ("until", &signer.until)];
            let window: Vec<String> =
                window.iter().filter_map(|(word, time)| Some(format!("{word} {}", time.as_ref()?))).collect();
            vec![
                signer.id.clone(),
                roles.join(", "),
                signer.max_risk.as_str().to_owned(),
                window.join(" "),
                ui::count(keys.len() as u64, "key"),
            ]
        })
        .collect();
    let thresholds: Vec<String> =
        content.thresholds.all().iter().map(|(name, count)| format!("{name} {count}")).collect();
    let mut out = format!("trust revision {}\n", content.revision);
    out += &ui::table(&["SIGNER", "MAY", "UP TO", "TRUSTED", "KEYS"], &rows);
    for signer in &content.signers {
        for key in signer.keys.iter().filter_map(|text| Key::read(text)) {
            out += &format!("{} signs with {}\n", terminal(&signer.id), key.id());
        }
    }
    out += &format!("it takes: {}\n", thresholds.join(", "));
    if !content.author_may_approve {
        out += "whoever made a change does not count among those who approve it\n";
    }
    for revoked in &content.revoked {
        let what = if revoked.compromised { "compromised" } else { "revoked" };
        out += &format!(
            "{what}: {} at {} {}\n",
            terminal(&revoked.key),
            terminal(&revoked.at),
            terminal(&revoked.reason)
        );
    }
    out
}

fn check(format: Style, ctx: &Ctx, store: &Store) -> Result<Exit, Error> {
    let trust = trust::current(store, ctx)?;
    if !store.trust_file().exists() {
        return Err(Error::new(format_args!("there is no {}", store.trust_file().display()))
            .hint("begin with `cask trust init`, or restore it from version control"));
    }
    let file = store.trust_file().display().to_string();
    let report = Report {
        kind: "trust",
        title: format!(
            "trust revision {} of {}",
            trust.revision(),
            ui::count(trust.signers().len() as u64, "signer")
        ),
        subject: vec![
            ("file".to_owned(), file.clone()),
            ("digest".to_owned(), trust.digest().map_err(Error::new)?.to_string()),
        ],
        sections: vec![Section { title: String::new(), findings: findings(&trust, &file, &ctx.now()) }],
        ..Report::default()
    };
    output::report(&report, format, ctx)
}

fn findings(trust: &Trust, file: &str, now: &str) -> Vec<Finding> {
    use cask_core::lock::rules as r;
    let mut out = Vec::new();
    let mut push = |rule: &'static cask_core::finding::Rule, pointer: String, message: String| {
        out.push(Finding {
            code: rule.code,
            severity: rule.severity,
            basis: Basis::Contradicted,
            details: Vec::new(),
            at: At { file: file.to_owned(), pointer, ..At::default() },
            message,
            before: None,
            after: None,
        });
    };
    let content = trust.content();
    for risk in Risk::ALL {
        let (have, need) = (trust.count(Role::Approve, risk), content.thresholds.of(risk) as usize);
        if have < need && !content.signers.is_empty() {
            let message = format!(
                "{need} signers are asked for at risk `{}`, and {have} may approve it",
                risk.as_str()
            );
            push(&r::TRUST_UNREACHABLE, format!("/thresholds/{}", risk.as_str()), message);
        }
    }
    for (index, signer) in content.signers.iter().enumerate() {
        let at = format!("/signers/{index}");
        if signer.keys.is_empty() {
            push(&r::TRUST_IDLE, format!("{at}/keys"), format!("`{}` has no key", signer.id));
        }
        if signer.until.as_deref().is_some_and(|until| now >= until) {
            push(&r::TRUST_IDLE, format!("{at}/until"), format!("`{}` is not trusted any more", signer.id));
        }
    }
    if !content.author_may_approve && content.signers.len() == 1 {
        let message = "there is one signer, and whoever made a change may not approve it".to_owned();
        push(&r::TRUST_UNREACHABLE, "/author_may_approve".to_owned(), message);
    }
    debug_assert!(out.iter().all(|finding| finding.severity <= Severity::Warning));
    out
}
