//! What a command ends with: an exit code, or an error with a hint.

use std::fmt;

/// Exit codes, the same for every command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// All well.
    Pass = 0,
    /// Gated or non-breaking: someone should look.
    Review = 1,
    /// Breaking: would let an agent do more, or break a caller.
    Breaking = 2,
    /// Invalid input or configuration.
    Invalid = 3,
}

/// Could not do it: says what happened, where, and what to type next. Always exits with 3.
#[derive(Debug)]
pub struct Error {
    /// What happened and where, lower case, no full stop.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl Error {
    /// An error without a hint.
    pub fn new(message: impl fmt::Display) -> Self {
        Self { message: message.to_string(), hint: None }
    }

    /// The same error with a hint.
    #[must_use]
    pub fn hint(mut self, hint: impl fmt::Display) -> Self {
        self.hint = Some(hint.to_string());
        self
    }

    /// The system gave no thread.
    #[must_use]
    pub fn no_thread(error: std::io::Error) -> Self {
        Self::new(format_args!("could not start a thread: {error}"))
    }

    /// Several as one that names them all, with the hint of the first; none of none.
    #[must_use]
    pub fn all(errors: Vec<Error>) -> Option<Error> {
        errors.into_iter().reduce(|mut first, other| {
            first.message += &format!("\nerror: {other}");
            first
        })
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}
