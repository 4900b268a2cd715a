//! What a command is given: the state root, the clock and the environment. Made once, in `main`.

use std::path::{Path, PathBuf};

/// The world as a command sees it. Tests give another.
#[derive(Debug, Clone)]
pub struct Ctx {
    /// The state root (`--root`, default `.caskmcp`).
    pub root: PathBuf,
    /// Where exports go (`--out`), if given. Never changes where things are looked up.
    pub out: Option<PathBuf>,
    /// Whether stderr is a terminal: progress only then.
    pub terminal: bool,
    /// Whether results may be coloured: stdout is a terminal and `NO_COLOR` is not set.
    pub colour: bool,
    /// The trust that everything must come from (`--trust-root`), if it is pinned from outside the repository.
    pub trust_root: Option<cask_core::canon::Digest>,
    /// Fixed time for reproducible runs (`CASK_NOW`, RFC 3339); otherwise the system clock.
    pub fixed_now: Option<String>,
}

impl Ctx {
    /// How to call cask again for the same state root: the start of every command that is shown.
    #[must_use]
    pub fn command(&self) -> String {
        if self.root == Path::new(".caskmcp") {
            return "cask".to_owned();
        }
        format!("cask --root {}", crate::ui::path_word(&self.root))
    }

    /// The time now, RFC 3339, UTC, whole seconds.
    #[must_use]
    pub fn now(&self) -> String {
        self.fixed_now.clone().unwrap_or_else(|| {
            let now = jiff::Timestamp::now();
            jiff::Timestamp::from_second(now.as_second()).unwrap_or(now).to_string()
        })
    }

    /// An environment variable; an empty one is not set.
    #[must_use]
    pub fn var(&self, name: &str) -> Option<String> {
        std::env::var(name).ok().filter(|value| !value.is_empty())
    }
}
