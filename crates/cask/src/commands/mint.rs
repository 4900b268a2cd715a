//! `cask mint`: compile captures or API descriptions into a toolpack.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use cask_core::capture::hosts::Hosts;
use cask_core::capture::openapi;
use cask_core::redact::Profile;

use crate::compile::{self, Request};
use crate::ctx::Ctx;
use crate::error::{Error, Exit};
use crate::import::{self, Format, Imported};
use crate::store::{self, MAX_BYTES, Store, descriptions};

/// Compile captures or API descriptions into a toolpack.
///
/// Files are recorded traffic (HAR, also gzipped) or OpenAPI and Swagger descriptions, in any mix. Minting
/// again adds to the same toolpack: names, templates and decisions stay.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// HAR files and OpenAPI descriptions of one service
    #[arg(required = true, value_name = "FILES")]
    files: Vec<PathBuf>,
    /// Hosts to keep: `api.example.com`, `*.example.com` (one label), `localhost:3000`; repeat or separate by commas
    #[arg(short = 'a', long = "allowed-hosts", value_name = "HOSTS")]
    allowed_hosts: Vec<String>,
    /// The toolpack's name [default: its first host]
    #[arg(long)]
    name: Option<String>,
    /// What counts as secret: `default_safe` or `high_risk_pii` [default: what did in the toolpack's captures]
    #[arg(long, value_name = "PROFILE", visible_alias = "profile")]
    redaction_profile: Option<Profile>,
    /// How to print the result
    #[arg(long, value_enum, default_value_t)]
    format: Shape,
}

/// `--format` of the commands that compile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Shape {
    /// For people at a terminal
    #[default]
    Text,
    /// For programs: canonical, versioned
    Json,
}

/// What was read from files.
struct Read {
    request: Request,
    fresh: Option<Imported>,
    exit: Exit,
    heading: Vec<String>,
}

/// Runs the command.
///
/// # Errors
/// [`Error`] if it could not be done.
pub fn run(args: Args, ctx: &Ctx) -> Result<Exit, Error> {
    if let Some(url) = args.files.iter().find(|file| is_url(file)) {
        return Err(not_live(url));
    }
    let store = Store::new(&ctx.root);
    let _held = store.lock("mint")?;
    let read = read(&args, ctx, &store)?;
    let built = compile::build_with(&store, ctx, &read.request, read.fresh)?;
    let written = built.write(&store, ctx)?;
    compile::report(&written, &read.heading.join("\n"), args.format == Shape::Json, ctx)?;
    Ok(read.exit)
}

fn is_url(file: &Path) -> bool {
    file.to_str().is_some_and(|text| {
        let text = text.to_ascii_lowercase();
        text.starts_with("https://") || text.starts_with("http://")
    })
}

fn not_live(url: &Path) -> Error {
    // user, password and query of a URL can be secrets: only the host is repeated
    let text = url.display().to_string();
    let host = text.split("://").nth(1).unwrap_or_default().split(['/', '?', '#']).next().unwrap_or_default();
    let host = host.rsplit('@').next().unwrap_or_default();
    let shown = cask_core::report::escape::terminal(&cask_core::report::escape::clip(host, 200));
    Error::new(format_args!("{shown}: live capture is not there yet")).hint(
        "record a HAR and mint that: open the page in a browser, press F12, choose Network, use the app,\n        \
         then right-click the list and choose \"Save all as HAR with content\" (Firefox: \"Save All As HAR\");\n        \
         cask mint traffic.har -a <api host>",
    )
}

fn read(args: &Args, ctx: &Ctx, store: &Store) -> Result<Read, Error> {
    let mut hosts = Hosts::parse(&args.allowed_hosts).map_err(Error::new)?;
    let mut asked = listed(&hosts);
    let (mut traffic, mut descriptions) = (Vec::new(), Vec::new());
    let mut faults = Vec::new();
    for file in &args.files {
        match import::detect(file) {
            Ok(Format::Har) => traffic.push(file.clone()),
            Ok(Format::OpenApi) => descriptions.push(file.clone()),
            Err(error) => faults.push(error),
        }
    }
    if let Some(error) = Error::all(faults) {
        return Err(error);
    }
    descriptions.sort();
    descriptions.dedup();
    let mut read = Read { request: Request::default(), fresh: None, exit: Exit::Pass, heading: Vec::new() };
    let mut declared_hosts = BTreeSet::new();
    for file in &descriptions {
        // one plain host says where an API lives whose description does not
        let host = asked.first().filter(|host| asked.len() == 1 && !host.contains('*')).map(String::as_str);
        let dir = store::dir_of(file);
        let text = store::read(dir, file, MAX_BYTES)?;
        let shown = file.display().to_string();
        let mut description = openapi::read(&text, &shown, host).map_err(Error::new)?;
        let all = description.endpoints.len();
        if !hosts.is_empty() {
            description.endpoints.retain(|endpoint| hosts.allow(endpoint.scheme, &endpoint.host));
        }
        if description.endpoints.is_empty() {
            return Err(Error::new(format_args!("{shown}: none of its {all} operations is on {hosts}"))
                .hint("leave out -a to take the hosts that the description names"));
        }
        declared_hosts.extend(description.endpoints.iter().map(|endpoint| endpoint.host.clone()));
        let id = descriptions::keep(store, &description.title, &description.endpoints)?;
        read.heading.push(format!("{id}: {} operations of {shown}", description.endpoints.len()));
        for note in description.notes.iter().take(10) {
            let line = format!("  {shown}#{}: {}", note.pointer, note.message);
            read.heading.push(cask_core::report::escape::terminal(&line));
        }
        if let more @ 1.. = description.notes.len().saturating_sub(10) {
            read.heading.push(format!("  and {more} more notes"));
        }
        read.request.descriptions.insert(id);
    }
    if asked.is_empty() && !declared_hosts.is_empty() {
        asked = declared_hosts.into_iter().collect();
        hosts = Hosts::parse(&asked).map_err(Error::new)?;
    }
    read.request.name = name(args.name.as_deref(), &asked)?;
    if !traffic.is_empty() {
        let profile = match args.redaction_profile {
            Some(profile) => profile,
            None => import::strictest(store.root(), &compile::captures(store, &read.request.name, &asked)?),
        };
        let options = import::Options { hosts, profile, threads: 0, command: "cask mint" };
        let mut imported = import::import(&traffic, &options, ctx)?;
        read.exit = imported.exit;
        read.heading.push(std::mem::take(&mut imported.report));
        read.request.captures.insert(imported.capture_id.clone());
        read.fresh = Some(imported);
    }
    read.request.hosts = asked;
    Ok(read)
}

/// Host patterns in one spelling: they make the toolpack's id.
pub(super) fn listed(hosts: &Hosts) -> Vec<String> {
    let mut all: Vec<String> =
        hosts.to_string().split(',').filter(|host| !host.is_empty()).map(str::to_owned).collect();
    all.sort();
    all.dedup();
    all
}

/// The name that was given, or the first host's.
pub(super) fn name(given: Option<&str>, hosts: &[String]) -> Result<String, Error> {
    let name = given.map(str::trim).or_else(|| hosts.first().map(String::as_str)).unwrap_or("service");
    let fine = (1..=80).contains(&name.chars().count()) && !name.chars().any(char::is_control);
    if fine {
        Ok(name.to_owned())
    } else {
        Err(Error::new("a name has 1 to 80 characters, none of them a control character"))
    }
}
