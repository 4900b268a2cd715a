//! Two texts, word by word: what went and what came, so that nobody has to look for it.

/// Longer stretches than this (old words times new words) are shown whole: comparing them is not worth it.
const CELLS: usize = 40_000;
/// Words before a change that say where it is.
const CONTEXT: usize = 4;
/// The longest line, in characters.
const WIDTH: usize = 300;
/// The most lines.
const LINES: usize = 24;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Edit<'t> {
    Same(&'t str),
    Gone(&'t str),
    Came(&'t str),
}

/// What changed, a line each: `@ … words before it`, `- what went`, `+ what came`.
pub(super) fn changes(before: &str, after: &str) -> Vec<String> {
    let edits = edits(&parts(before), &parts(after));
    let mut lines = Vec::new();
    let mut same: Vec<&str> = Vec::new();
    let mut rest = edits.as_slice();
    while let Some((first, tail)) = rest.split_first() {
        if let Edit::Same(word) = first {
            same.push(word);
            rest = tail;
            continue;
        }
        let end = rest.iter().position(|edit| matches!(edit, Edit::Same(_))).unwrap_or(rest.len());
        let (changed, tail) = rest.split_at(end);
        lines.extend(context(&same));
        let gone =
            changed.iter().filter_map(|edit| if let Edit::Gone(word) = edit { Some(*word) } else { None });
        lines.extend(wrapped("- ", &gone.collect::<Vec<_>>().join(" ")));
        let came =
            changed.iter().filter_map(|edit| if let Edit::Came(word) = edit { Some(*word) } else { None });
        lines.extend(wrapped("+ ", &came.collect::<Vec<_>>().join(" ")));
        same.clear();
        rest = tail;
    }
    if lines.is_empty() && before != after {
        lines.push("only white space differs".to_owned());
    }
    if lines.len() > LINES {
        let more = lines.len() - LINES;
        lines.truncate(LINES);
        lines.push(format!("… and {more} more lines"));
    }
    lines
}

fn parts(text: &str) -> Vec<&str> {
    text.split_whitespace().collect()
}

fn context(same: &[&str]) -> Option<String> {
    let (from, start) = match same.len().checked_sub(CONTEXT) {
        Some(0) | None => (0, ""),
        Some(from) => (from, "… "),
    };
    let words = same.get(from..).unwrap_or_default().join(" ");
    let line: String = words.chars().take(WIDTH).collect();
    (!line.is_empty()).then(|| format!("@ {start}{line}"))
}

/// All of a text in lines that are not cut when they are shown.
fn wrapped(sign: &str, text: &str) -> Vec<String> {
    let letters: Vec<char> = text.chars().collect();
    letters.chunks(WIDTH).map(|line| format!("{sign}{}", line.iter().collect::<String>())).collect()
}

/// The fewest edits from one text to the other.
fn edits<'t>(old: &[&'t str], new: &[&'t str]) -> Vec<Edit<'t>> {
    let head = old.iter().zip(new).take_while(|(a, b)| a == b).count();
    let (start, old) = old.split_at(head);
    let (_, new) = new.split_at(head);
    let tail = old.iter().rev().zip(new.iter().rev()).take_while(|(a, b)| a == b).count();
    let (old, end) = old.split_at(old.len() - tail);
    let (new, _) = new.split_at(new.len() - tail);
    let mut out: Vec<Edit<'t>> = start.iter().map(|word| Edit::Same(word)).collect();
    if old.len() * new.len() > CELLS {
        out.extend(old.iter().map(|word| Edit::Gone(word)));
        out.extend(new.iter().map(|word| Edit::Came(word)));
    } else {
        middle(old, new, &mut out);
    }
    out.extend(end.iter().map(|word| Edit::Same(word)));
    out
}

fn middle<'t>(old: &[&'t str], new: &[&'t str], out: &mut Vec<Edit<'t>>) {
    let common = common(old, new);
    let length =
        |old: &[&str], new: &[&str]| common.get(old.len()).and_then(|row| row.get(new.len())).copied();
    let (mut old, mut new) = (old, new);
    loop {
        match (old.split_first(), new.split_first()) {
            (Some((a, olds)), Some((b, news))) if a == b => {
                out.push(Edit::Same(a));
                (old, new) = (olds, news);
            }
            (Some((a, olds)), Some((b, news))) => {
                if length(olds, new) >= length(old, news) {
                    out.push(Edit::Gone(a));
                    old = olds;
                } else {
                    out.push(Edit::Came(b));
                    new = news;
                }
            }
            (Some((a, olds)), None) => {
                out.push(Edit::Gone(a));
                old = olds;
            }
            (None, Some((b, news))) => {
                out.push(Edit::Came(b));
                new = news;
            }
            (None, None) => return,
        }
    }
}

/// How many words the last `i` of one text and the last `j` of the other have in common, in order, at `[i][j]`.
fn common(old: &[&str], new: &[&str]) -> Vec<Vec<u16>> {
    let mut rows = vec![vec![0_u16; new.len() + 1]];
    for a in old.iter().rev() {
        let above = rows.last().map(Vec::as_slice).unwrap_or_default();
        let mut row = vec![0_u16];
        for (b, two) in new.iter().rev().zip(above.windows(2)) {
            let [diagonal, up] = two else { continue };
            let left = row.last().copied().unwrap_or_default();
            row.push(if a == b { diagonal + 1 } else { left.max(*up) });
        }
        rows.push(row);
    }
    rows
}
