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
    let suggested = scopes::suggested(pack)?;
    let open = unsure(&suggested, &pack.surface.scopes).into_iter();
    let open: Vec<(&str, &str)> = open.filter(|(tool, _)| wanted.contains(&format!("tool/{tool}"))).collect();
    let Some((_, name)) = open.first() else { return Ok(()) };
    let lines: Vec<String> =
        open.iter().map(|(tool, name)| format!("\n  {} ({})", terminal(tool), terminal(name))).collect();
    Err(Error::new(format_args!(
        "what these tools do is a guess, of high or critical risk, that nobody has taken over:{}",
        few(&lines)
    ))
    .hint(format_args!(
        "look at it with `cask scopes show {}`; then `cask scopes merge --write` and set `review: accepted` in scopes.yaml; or leave them out",
        terminal(name)
    )))
}

fn few(lines: &[String]) -> String {
    let mut out: String = lines.iter().take(SHOWN).map(String::as_str).collect();
    if lines.len() > SHOWN {
        out.push_str(&format!("\n  and {} more", lines.len() - SHOWN));
    }
    out
}
