//! `cask run`: serve the approved tools of a toolpack over MCP.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use cask_core::canon::Digest;
use cask_core::guard::Base;
use cask_core::lock::seen::Seen;
use cask_core::lock::status::{self, Against};
use cask_core::lock::{Approved, Lockfile, NotApproved, Surface};
use cask_core::report::escape::terminal;
use cask_core::toolpack::{Binding, DEFAULT_TOOLSET};
use cask_runtime::audit::AuditLog;
use cask_runtime::{Accepted, Credentials, Gateway, Settings, mcp};
use ipnet::IpNet;

use crate::ctx::Ctx;
use crate::error::{Error, Exit};
use crate::store::folder::Folder;
use crate::store::pack;
use crate::store::{self, Stamp, Store};
use crate::trust;
use crate::ui;

/// Serve the approved tools of a toolpack over MCP.
///
/// Speaks MCP on standard input and output until the client closes them. Only approved tools of the
/// served toolset are listed; every other call is refused. Logs go to standard error.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The toolpack's manifest; the only one under the root if not given
    #[arg(long, value_name = "TOOLPACK.YAML")]
    toolpack: Option<PathBuf>,
    /// The approved lockfile; the one the manifest names if not given
    #[arg(long, value_name = "LOCK.YAML", conflicts_with = "unsafe_no_lockfile")]
    lockfile: Option<PathBuf>,
    /// The toolset to serve
    #[arg(long, default_value = DEFAULT_TOOLSET)]
    toolset: String,
    /// Send every request here instead of to its signed host (tests, staging); a local address also
    /// needs --allow-private-cidr
    #[arg(long, value_name = "URL")]
    base_url: Option<String>,
    /// Credential for the upstream: VALUE, env:NAME or file:PATH, with HOST= in front where tools call
    /// several hosts; sent as the tool's binding says, as a bearer token if it says nothing
    #[arg(long, value_name = "[HOST=]VALUE")]
    auth: Vec<String>,
    /// Allow connections to addresses in this range although they are private (repeatable)
    #[arg(long, value_name = "CIDR", value_parser = range)]
    allow_private_cidr: Vec<IpNet>,
    /// Follow up to three redirects of reads, to hosts on the signed list only
    #[arg(long)]
    allow_redirects: bool,
    /// Check every call and answer with what would be sent; send nothing
    #[arg(long)]
    dry_run: bool,
    /// The audit log; `<root>/state/audit/<toolpack>.jsonl` if not given
    #[arg(long, value_name = "FILE")]
    audit_log: Option<PathBuf>,
    /// Serve everything in the toolpack, approved by nobody (marked in every audit record)
    #[arg(long)]
    unsafe_no_lockfile: bool,
}

/// Runs the command.
///
/// # Errors
/// [`Error`] if it could not be done.
pub fn run(args: Args, ctx: &Ctx) -> Result<Exit, Error> {
    crate::large_pages(true);
    let store = Store::new(&ctx.root);
    let folder = pack::folder(&store, args.toolpack.as_deref(), args.lockfile.as_deref())?;
    let id = folder.manifest.id.clone();
    // The two longest files, read side by side: a client waits for this.
    let (surface, sealed) = rayon::join(
        || pack::surface(&store, &folder),
        || if args.unsafe_no_lockfile { Ok(Sealed::default()) } else { Sealed::read(&args, &store, &folder) },
    );
    let (surface, sealed) = (surface?, sealed?);
    let members = surface.toolsets.get(&args.toolset).cloned().unwrap_or_default();
    let (approved, accepted): (Approved, Arc<dyn Accepted>) = if args.unsafe_no_lockfile {
        eprintln!("cask: WARNING: --unsafe-no-lockfile: tools that nobody approved can be called");
        (Approved::unsafe_without_lockfile(surface).map_err(Error::new)?, Arc::new(NoLockfile))
    } else {
        match approved(ctx, &store, &folder, surface, sealed)? {
            Ok((approved, remembered)) => (approved, Arc::new(remembered)),
            Err(exit) => return Ok(exit),
        }
    };
    if !approved.toolsets().contains(&args.toolset) {
        let known: Vec<&str> = approved.toolsets().iter().map(String::as_str).collect();
        return Err(Error::new(format_args!("the toolset `{}` is not approved", args.toolset))
            .hint(format_args!("approved are: {}", known.join(", "))));
    }
    let base = args.base_url.as_deref().map(Base::parse).transpose();
    let base = base.map_err(|error| Error::new(format_args!("--base-url: {error}")))?;
    let signed: Vec<&str> = approved.hosts().iter().map(String::as_str).collect();
    let credentials = match &base {
        Some(base) => Credentials::read(&args.auth, &[base.host()], &signed),
        None => Credentials::read(&args.auth, &signed, &[]),
    };
    let credentials = credentials.map_err(Error::new)?;
    let path = args.audit_log.unwrap_or_else(|| store.state().join("audit").join(format!("{id}.jsonl")));
    store.check_state()?;
    let audit = AuditLog::open(&path)
        .map_err(|error| Error::new(error).hint("without an audit log nothing is served"))?;
    let fixed_now = ctx.fixed_now.as_deref().map(str::parse).transpose();
    for line in opening(&approved, &args.toolset, &members, base.as_ref(), &credentials) {
        eprintln!("cask: {line}");
    }
    let settings = Settings {
        toolset: args.toolset,
        base,
        credentials,
        opened: args.allow_private_cidr,
        redirects: args.allow_redirects,
        dry_run: args.dry_run,
        run_id: run_id()?,
        accepted,
        fixed_now: fixed_now.map_err(|error| Error::new(format_args!("CASK_NOW: {error}")))?,
    };
    serve(Gateway::new(approved, settings, audit))
}

/// What is served and what is not, and which credentials are missing: a line each.
fn opening(
    approved: &Approved,
    toolset: &str,
    members: &BTreeSet<String>,
    base: Option<&Base>,
    credentials: &Credentials,
) -> Vec<String> {
    let served = || approved.tools().values().filter(|tool| tool.toolsets.contains(toolset));
    let mut withheld: BTreeMap<&str, usize> = BTreeMap::new();
    let is_served =
        |name: &String| approved.tools().get(name).is_some_and(|tool| tool.toolsets.contains(toolset));
    for name in members.iter().filter(|name| !is_served(name)) {
        let why = approved.not_approved().get(name).map_or("not in the approved toolset", |why| short(*why));
        *withheld.entry(why).or_default() += 1;
    }
    let total: usize = withheld.values().sum();
    let mut line = format!(
        "serving {} of the toolset `{}` of {}{}",
        tools(served().count()),
        terminal(toolset),
        terminal(approved.toolpack()),
        if approved.lockfile_digest().is_some() { ", approved" } else { ", approved by nobody" }
    );
    if total > 0 {
        let counts: Vec<String> = withheld.iter().map(|(why, count)| format!("{count} {why}")).collect();
        line.push_str(&format!("; {total} withheld: {}", counts.join(", ")));
    }
    let mut lines = vec![line];

    // By host that requests go to: tools that need a credential, and the signed hosts they are for.
    let mut needy: BTreeMap<&str, (usize, BTreeSet<&str>)> = BTreeMap::new();
    for tool in served() {
        let Binding::Http(binding) = &tool.tool.binding;
        let host = base.map_or(binding.host.as_str(), Base::host);
        if !binding.auth.is_empty() && !credentials.has(host) {
            let (count, signed) = needy.entry(host).or_default();
            *count += 1;
            signed.insert(binding.host.as_str());
        }
    }
    for (host, (count, signed)) in needy {
        let elsewhere = signed.into_iter().find(|other| *other != host && credentials.has(other));
        let why = elsewhere.map_or_else(String::new, |other| {
            format!(" (the one for `{}` is not sent there)", terminal(other))
        });
        lines.push(format!(
            "warning: no credential was given for `{host}`, for {}{why}: --auth {host}=env:NAME",
            tools(count),
            host = terminal(host)
        ));
    }
    lines
}

/// A range of addresses, or one address.
fn range(text: &str) -> Result<IpNet, String> {
    let one = text.parse::<std::net::IpAddr>().map(IpNet::from);
    one.or_else(|_| text.parse()).map_err(|_| "give a range of addresses, such as 127.0.0.0/8".to_owned())
}

fn tools(count: usize) -> String {
    ui::count(count as u64, "tool")
}

fn short(why: NotApproved) -> &'static str {
    match why {
        NotApproved::Pending => "pending",
        NotApproved::Blocked => "blocked",
        NotApproved::Changed => "changed since they were approved",
        NotApproved::Unsigned => "without a signature",
        NotApproved::BadSignature => "with a signature that does not verify",
        NotApproved::Expired => "expired",
        NotApproved::Short => "short of signers",
        NotApproved::Revoked => "approved with a key that was revoked",
        NotApproved::Raised => "of a higher risk than policy or host are approved for",
        NotApproved::Host => "on a host that is not approved",
        NotApproved::Scope => "in a scope that is not approved",
        NotApproved::OutOfScope => "outside of their scope",
    }
}

/// The files that say what may be served: the memory in either of its places, the trust file, and the lockfile.
type Files = [PathBuf; 4];
/// What [`Files`] looked like.
type Stamps = [Option<Stamp>; 4];

fn stamps(files: &Files) -> Stamps {
    files.each_ref().map(|file| store::stamp(file))
}

/// What was accepted under this root, looked at again at each call.
#[derive(Debug)]
struct Remembered {
    store: Store,
    toolpack: String,
    /// The trust under which this started: under another, other approvals may count.
    trust: Digest,
    /// Where they lie is found once: it takes longer than looking at them.
    files: Files,
    /// The files as they were when they were looked at last, and the revision that was remembered then.
    last: Mutex<(Stamps, u64)>,
}

impl Remembered {
    /// The revision remembered, if the files still say what they said at the start.
    fn look(&self) -> Result<u64, String> {
        let say = |error: Error| error.message;
        let trust = trust::read(&self.store).map_err(say)?.unwrap_or_default();
        if trust.digest().map_err(|error| error.to_string())? != self.trust
            || self.store.trusted().map_err(say)? != Some(self.trust)
        {
            return Err("who is trusted here has changed; restart the gateway".to_owned());
        }
        let seen = self.store.seen(&self.toolpack).map_err(say)?;
        // It was remembered at the start: without it, a later block would not be seen.
        let Some(seen) = seen else {
            return Err("which lockfile was accepted last is forgotten; restart the gateway".to_owned());
        };
        Ok(seen.revision)
    }
}

impl Accepted for Remembered {
    fn highest_revision(&self) -> Result<u64, String> {
        let now = stamps(&self.files);
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let (known, served) = *last;
        let [inside, outside, trust, lockfile] = now;
        if known == now && inside.or(outside).is_some() && trust.is_some() && lockfile.is_some() {
            return Ok(served);
        }
        let revision = self.look()?;
        // A newer revision that was accepted speaks for itself. Without one, whoever put another lockfile in the place of
        // the one that is served may have blocked something.
        if revision == served && known.last() != now.last() {
            return Err("the lockfile has changed; restart the gateway".to_owned());
        }
        *last = (now, revision);
        Ok(revision)
    }
}

/// Nothing was accepted, and nothing can be taken back.
#[derive(Debug)]
struct NoLockfile;

impl Accepted for NoLockfile {
    fn highest_revision(&self) -> Result<u64, String> {
        Ok(0)
    }
}

/// The lockfile that is to be served, not verified yet.
#[derive(Debug, Default)]
struct Sealed {
    files: Files,
    /// Noted before anything is read, so that a change that comes in between is seen at the first call.
    stamps: Stamps,
    lockfile: Option<Lockfile>,
}

impl Sealed {
    fn read(args: &Args, store: &Store, folder: &Folder) -> Result<Self, Error> {
        let path = match &args.lockfile {
            Some(path) => Some(path.clone()),
            None => folder.approved_file()?,
        };
        let [inside, outside] = store.memory_files();
        let files = [inside, outside, store.trust_file(), path.clone().unwrap_or_default()];
        let stamps = stamps(&files);
        let lockfile = path.map(|path| folder.lockfile(&path)).transpose()?;
        Ok(Self { files, stamps, lockfile })
    }
}

/// What the lockfile approves and what has to stay as it is while that is served, or the exit code after saying why it is
/// not accepted.
fn approved(
    ctx: &Ctx,
    store: &Store,
    folder: &Folder,
    surface: Surface,
    sealed: Sealed,
) -> Result<Result<(Approved, Remembered), Exit>, Error> {
    let refuse = |exit, message: &str, hint: &str| {
        eprintln!("error: {}\n  hint: {}", terminal(message), terminal(hint));
        Ok(Err(exit))
    };
    let Sealed { files, stamps, lockfile } = sealed;
    let Some(lockfile) = lockfile else {
        let hint = format!(
            "review it with `cask diff`, then `cask gate allow --all --lockfile {}`",
            folder.pending_file().display()
        );
        return refuse(Exit::Review, "nothing is approved yet: there is no approved lockfile", &hint);
    };
    let now = ctx.now();
    let id = folder.manifest.id.clone();
    let trust = trust::current(store, ctx)?;
    let seen = store.seen(&id)?;
    let against = Against { trust: &trust, now: &now, seen: seen.as_ref() };
    let pending = lockfile.seal.is_none();
    match status::verify(surface, &lockfile, &against) {
        Ok(approved) => {
            let digest = trust.digest().map_err(Error::new)?;
            let known = seen.as_ref().is_some_and(|seen| seen.knows(&lockfile));
            if approved.lockfile_digest().is_some() && !(known && store.trusted()? == Some(digest)) {
                let _held = store.lock("run")?;
                // Somebody may have changed who is trusted while this waited.
                if trust::current(store, ctx)?.digest().map_err(Error::new)? != digest {
                    return Err(
                        Error::new("who is trusted here changed just now").hint("start the gateway again")
                    );
                }
                store.remember(&id, Seen::of(&lockfile).map_err(Error::new)?, digest)?;
            }
            let last = Mutex::new((stamps, approved.revision()));
            let remembered = Remembered { store: store.clone(), toolpack: id, trust: digest, files, last };
            Ok(Ok((approved, remembered)))
        }
        Err(refused) => {
            let exit = if pending { Exit::Review } else { Exit::Breaking };
            refuse(exit, &format!("{} ({})", refused.message, refused.code), refused.hint)
        }
    }
}

fn serve(gateway: Gateway) -> Result<Exit, Error> {
    // One thread: a call is little work between two waits, and no wake-up of another thread is needed.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Error::new)?;
    let served = runtime.block_on(mcp::serve_stdio(Arc::new(gateway)));
    // A read of standard input that nobody will answer must not keep the process.
    runtime.shutdown_background();
    served.map_err(Error::new)?;
    Ok(Exit::Pass)
}

fn run_id() -> Result<String, Error> {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).map_err(|error| Error::new(format_args!("no randomness: {error}")))?;
    Ok(format!("run_{:016x}", u64::from_be_bytes(bytes)))
}
