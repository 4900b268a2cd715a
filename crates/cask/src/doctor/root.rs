//! The state root itself: whether it can be written, what in it is private, who is trusted.

use std::fs::{self, File};
use std::path::Path;

use super::{Ground, Said, Verdict};
use crate::store::UNFINISHED;
use crate::{trust as trusted, ui};

pub(super) fn writable(ground: &Ground<'_>) -> Vec<Said> {
    let root = ground.store.root();
    let shown = root.display();
    if !ground.there {
        let hint = "name another with --root, or begin here: `cask init`, `cask mint`";
        return vec![Said::fail(Verdict::Misconfigured, format!("{shown} is not there"), hint)];
    }
    let made = tempfile::Builder::new().prefix(UNFINISHED).tempfile_in(root);
    vec![match made {
        Ok(_) => Said::ok(format!("{shown} can be written")),
        Err(error) => Said::fail(
            Verdict::Misconfigured,
            format!("{shown} cannot be written: {error}"),
            "check who owns it, its mode, and that the disk is not full",
        ),
    }]
}

/// Keys and the audit log must not get into a repository.
pub(super) fn ignored(ground: &Ground<'_>) -> Vec<Said> {
    let root = ground.store.root();
    if !ground.there {
        return Vec::new();
    }
    let state = ground.store.state();
    let shown = ui::path_word(&state);
    vec![match git(root, &["ls-files", "--", "state"]) {
        None => Said::ok("not in a git repository, or git is not there"),
        Some((_, listed)) if !listed.is_empty() => Said::fail(
            Verdict::Fixable,
            format!("{shown} is committed, and keys in it are everybody's who can read the repository"),
            format!("git rm -r --cached {shown}; then `cask keys rotate`"),
        ),
        Some(_) => match git(root, &["check-ignore", "--quiet", "state/keys"]) {
            Some((0, _)) => Said::ok(format!("git ignores {shown}")),
            _ => Said::fail(
                Verdict::Fixable,
                format!("git does not ignore {shown}, where keys are"),
                format!("echo /state/ >> {}", ui::path_word(&root.join(".gitignore"))),
            ),
        },
    }]
}

/// What git says in a folder: its exit code and output; none if there is no git or no repository.
fn git(folder: &Path, words: &[&str]) -> Option<(i32, Vec<u8>)> {
    let output = crate::store::git(folder).args(words).output().ok()?;
    let code = output.status.code().filter(|code| (0..128).contains(code))?;
    Some((code, output.stdout))
}

/// The note of a command that was killed.
pub(super) fn lock(ground: &Ground<'_>) -> Vec<Said> {
    let path = ground.store.state().join("lock");
    let Ok(note) = fs::read(&path) else { return vec![Said::ok("nobody holds the lock")] };
    let held = File::open(&path).is_ok_and(|file| file.try_lock().is_err());
    vec![if held {
        Said::ok("a running command holds the lock")
    } else if note.is_empty() {
        Said::ok("nobody holds the lock")
    } else {
        let message = format!("{} is of a command that was killed", path.display());
        Said::fail(Verdict::Fixable, message, format!("{} state unlock", ground.ctx.command()))
    }]
}

#[cfg(unix)]
pub(super) fn keys(ground: &Ground<'_>) -> Vec<Said> {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = crate::keys::folder(&ground.store);
    let Ok(entries) = fs::read_dir(&folder) else { return vec![Said::ok("no signing key is here")] };
    let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    let open = |path: &Path| {
        let mode = path.metadata().ok()?.permissions().mode() & 0o777;
        (mode & 0o077 != 0).then_some(mode)
    };
    let faults = paths.iter().filter_map(|path| {
        let message = format!("{} is open to others (mode {:o})", path.display(), open(path)?);
        let hint = format!("chmod 600 {}; if others could read it: `cask keys rotate`", ui::path_word(path));
        Some(Said::fail(Verdict::Fixable, message, hint))
    });
    let faults: Vec<Said> = faults.collect();
    if faults.is_empty() {
        let count = ui::count(paths.len() as u64, "key");
        return vec![Said::ok(format!("{count}, readable by the owner alone"))];
    }
    faults
}

#[cfg(not(unix))]
pub(super) fn keys(_: &Ground<'_>) -> Vec<Said> {
    vec![Said::ok("the modes of keys are not looked at on this system")]
}

pub(super) fn trust(ground: &Ground<'_>) -> Vec<Said> {
    if !ground.there {
        return Vec::new();
    }
    vec![match trusted::read(&ground.store) {
        Err(error) => Said::error(Verdict::Misconfigured, &error),
        Ok(None) => match trusted::check_there(&ground.store) {
            Err(error) => Said::error(Verdict::Blocked, &error),
            Ok(()) => Said::warn("nobody is trusted yet", "begin with `cask trust init`"),
        },
        Ok(Some(_)) => match &ground.trust {
            Err(error) => Said::error(Verdict::Blocked, error),
            Ok(trust) => {
                let signers = ui::count(trust.signers().len() as u64, "signer");
                let message = format!("trust revision {}, {signers}", trust.revision());
                match (ground.ctx.trust_root, trust.digest()) {
                    (None, Ok(digest)) => Said::warn(
                        format!("{message}; nothing outside the repository pins it"),
                        format!("CASK_TRUST_ROOT={digest}, or --trust-root, where cask runs unattended"),
                    ),
                    _ => Said::ok(format!("{message}, from the root that was pinned")),
                }
            }
        },
    }]
}
