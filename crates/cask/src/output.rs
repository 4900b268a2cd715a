//! Results on stdout: a report in the format that was asked for, and the exit code it amounts to.

use std::io::Write as _;

use cask_core::report::{Format, Report, Verdict};

use crate::ctx::Ctx;
use crate::error::{Error, Exit};

/// `--format` of the commands that report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Style {
    /// For people at a terminal
    #[default]
    Text,
    /// For programs: canonical, versioned
    Json,
    /// For a pull request comment
    GithubMd,
    /// For code scanning: SARIF 2.1.0
    Sarif,
    /// For a reviewer: one file for a browser
    Html,
}

/// Prints a report; its worst finding decides the exit code.
///
/// # Errors
/// [`Error`] if stdout cannot be written. A reader that went away is not an error.
pub fn report(report: &Report, style: Style, ctx: &Ctx) -> Result<Exit, Error> {
    let format = match style {
        Style::Text => Format::Text { colour: ctx.colour },
        Style::Json => Format::Json,
        Style::GithubMd => Format::GithubMd,
        Style::Sarif => Format::Sarif,
        Style::Html => Format::Html,
    };
    text(&report.render(format))?;
    Ok(Exit::from(report.verdict()))
}

/// Prints text to stdout, as it is.
///
/// # Errors
/// As [`report`].
pub fn text(text: &str) -> Result<(), Error> {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Error::new(format_args!("could not write to stdout: {error}")))
        }
        _ => Ok(()),
    }
}

impl From<Verdict> for Exit {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Pass => Exit::Pass,
            Verdict::Review => Exit::Review,
            Verdict::Breaking => Exit::Breaking,
        }
    }
}
