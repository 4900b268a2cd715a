//! Talking to a person at a terminal: questions and tables. Everything shown is escaped.

use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::path::Path;

use cask_core::report::escape::{clip, markdown, terminal};

/// Asks a yes/no question if a person is there to answer; `None` if nobody is.
#[must_use]
pub fn confirm(question: &str) -> Option<bool> {
    if !(std::io::stdin().is_terminal() && std::io::stderr().is_terminal()) {
        return None;
    }
    eprint!("{} [y/N] ", terminal(question));
    let _ = std::io::stderr().flush();
    let mut answer = String::new();
    let read = std::io::stdin().lock().read_line(&mut answer);
    Some(read.is_ok() && matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}

/// `1 tool`, `2 tools`.
#[must_use]
pub fn count(number: impl Into<u64>, what: &str) -> String {
    match number.into() {
        1 => format!("1 {what}"),
        many if what.ends_with('y') && !what.ends_with("ey") => {
            format!("{many} {}ies", what.trim_end_matches('y'))
        }
        many => format!("{many} {what}s"),
    }
}

/// A word as a shell reads it. What does not show is written byte by byte, as bash and zsh read it.
#[must_use]
pub fn word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-:,+@%=".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    if terminal(text) == text {
        return format!("'{}'", text.replace('\'', "'\\''"));
    }
    let byte = |byte: u8| match char::from(byte) {
        c if plain(c) => c.to_string(),
        _ => format!("\\x{byte:02x}"),
    };
    format!("$'{}'", text.bytes().map(byte).collect::<String>())
}

/// A path as a shell reads it.
#[must_use]
pub fn path_word(path: &Path) -> String {
    word(&path.display().to_string())
}

/// A table of GitHub Flavored Markdown.
#[must_use]
pub fn markdown_table(header: &[&str], rows: &[Vec<String>]) -> String {
    let line =
        |cells: &mut dyn Iterator<Item = String>| format!("| {} |\n", cells.collect::<Vec<_>>().join(" | "));
    let mut out = line(&mut header.iter().map(|cell| (*cell).to_owned()));
    out += &line(&mut header.iter().map(|_| "---".to_owned()));
    rows.iter().for_each(|row| out += &line(&mut row.iter().map(|cell| markdown(cell))));
    out
}

/// Columns under a header, as wide as their widest cell and separated by two spaces.
#[must_use]
pub fn table(header: &[&str], rows: &[Vec<String>]) -> String {
    let rows: Vec<Vec<String>> = rows
        .iter()
        // the longest name of a subject is whole: it is there to be typed again
        .map(|row| row.iter().map(|cell| clip(&terminal(cell), 80).into_owned()).collect())
        .collect();
    let header: Vec<String> = header.iter().map(|cell| (*cell).to_owned()).collect();
    let lines = || std::iter::once(&header).chain(&rows);
    let widths: Vec<usize> = (0..header.len())
        .map(|column| {
            lines().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
        })
        .collect();
    lines().fold(String::new(), |mut out, row| {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            line.push_str(cell);
            line.extend(std::iter::repeat_n(' ', (width + 2).saturating_sub(cell.chars().count())));
        }
        out.push_str(line.trim_end());
        out.push('\n');
        out
    })
}

/// Asks for something that must not be seen, if a person is there to answer; `None` if nobody is.
#[must_use]
pub fn secret(question: &str) -> Option<String> {
    if !(std::io::stdin().is_terminal() && std::io::stderr().is_terminal()) {
        return None;
    }
    rpassword::prompt_password(terminal(question)).ok()
}

/// A time as people type it: RFC 3339, or the start of a day in UTC; as RFC 3339 in UTC and whole seconds.
#[must_use]
pub fn time(text: &str) -> Option<String> {
    let time = text.parse::<jiff::Timestamp>().or_else(|_| format!("{text}T00:00:00Z").parse()).ok()?;
    Some(jiff::Timestamp::from_second(time.as_second()).ok()?.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_read_back_by_a_shell_and_shows_as_it_is() {
        for text in [
            "plain-1.har",
            "a b",
            "it's",
            "",
            "$(id)",
            "a\u{1b}[31mb",
            "new\nline",
            "\u{202e}rah.é",
            "x'\u{7f}",
        ] {
            let word = word(text);
            assert_eq!(terminal(&word), word, "{text:?}");
            let out = std::process::Command::new("bash")
                .args(["-c", &format!("printf %s {word}")])
                .output()
                .unwrap();
            assert_eq!(String::from_utf8(out.stdout).unwrap(), text, "{word}");
        }
    }
}
