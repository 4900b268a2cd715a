//! What scopes ask before something is signed.

use std::collections::BTreeSet;

use cask_core::lock::SCOPE;
use cask_core::report::escape::terminal;
use cask_core::toolpack::scope::check::idle;
use cask_core::toolpack::scope::suggest::unsure;

use crate::error::Error;
use crate::store::pack::Pack;
use crate::store::scopes;

/// More of them than this are counted.
const SHOWN: usize = 8;

/// Refuses to sign a scope that holds nothing somewhere, and tools of high risk whose suggested scope is a guess that
/// nobody has taken over.
pub(super) fn sound(pack: &Pack, wanted: &BTreeSet<String>) -> Result<(), Error> {
    let faults: Vec<String> = (pack.surface.scopes.iter())
        .filter(|(name, _)| wanted.contains(&format!("{SCOPE}{name}")))
        .flat_map(|(name, scope)| idle(name, scope, &pack.surface.tools))
        .map(|finding| format!("\n  {}: {}", terminal(&finding.at.subject), terminal(&finding.message)))
        .collect();
    if !faults.is_empty() {
        return Err(Error::new(format_args!("scopes.yaml cannot be approved as it is:{}", few(&faults)))
            .hint("a limit that holds nothing protects nothing; see `cask scopes check`"));
    }
    let open = guesses(pack, wanted)?;
    let Some((_, name)) = open.first() else { return Ok(()) };
    let lines: Vec<String> =
        open.iter().map(|(tool, name)| format!("\n  {} ({})", terminal(tool), terminal(name))).collect();
    Err(Error::new(format_args!(
        "what the scopes of these tools are for is a guess, of high or critical risk, that nobody has taken over:{}",
        few(&lines)
    ))
    .hint(taken_over(name)))
}

/// The tools among these whose suggested scope is a guess of high risk that nobody has taken over, with that scope.
pub(super) fn guesses(pack: &Pack, wanted: &BTreeSet<String>) -> Result<Vec<(String, String)>, Error> {
    let suggested = scopes::suggested(pack)?;
    let open = unsure(&suggested, &pack.surface.scopes).into_iter();
    let open = open.map(|(tool, name)| (tool.to_owned(), name.to_owned()));
    Ok(open.filter(|(tool, _)| wanted.contains(&format!("tool/{tool}"))).collect())
}

/// What to do about a scope that is a guess.
pub(super) fn taken_over(name: &str) -> String {
    format!(
        "look at it with `cask scopes show {}`; then `cask scopes merge --write`, set `review: accepted` in scopes.yaml, and `cask gate sync`",
        terminal(name)
    )
}

fn few(lines: &[String]) -> String {
    let mut out: String = lines.iter().take(SHOWN).map(String::as_str).collect();
    if lines.len() > SHOWN {
        out.push_str(&format!("\n  and {} more", lines.len() - SHOWN));
    }
    out
}
