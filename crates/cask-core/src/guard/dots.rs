//! What a path argument must not be: a separator or a dot segment, to any server that may read it.

use super::encode;

/// No path argument is longer; it also bounds the work of decoding it again and again.
const MAX_PATH_VALUE: usize = 2048;

/// Why a text in a path could lead elsewhere on some server, however often that server decodes it and
/// whatever it makes of look-alikes.
pub(super) fn leaves(text: &str) -> Option<&'static str> {
    if text.is_empty() {
        return Some("is empty");
    }
    if text.len() > MAX_PATH_VALUE {
        return Some("is too long for a path");
    }
    let mut seen = text.to_owned();
    loop {
        if seen.chars().any(char::is_control) {
            return Some("holds a control character");
        }
        let plain = plain(&seen);
        if two_ways(&plain) {
            return Some("holds an escape that servers read in different ways");
        }
        if plain.contains(['/', '\\']) {
            return Some("holds a path separator");
        }
        if is_segment(&plain) {
            return Some("is a dot segment");
        }
        let next = encode::decoded(&plain);
        if next == plain {
            return None;
        }
        seen = next;
    }
}

/// Whether some server takes this segment for `.` or `..`: `..;x` has a parameter, `.. ` loses its end.
pub(super) fn is_segment(text: &str) -> bool {
    let plain = plain(text);
    matches!(plain.split([';', '?', '#']).next().map(str::trim), Some("." | ".."))
}

/// The text with the characters that compatibility forms (NFKC) and Windows code pages turn into ASCII
/// that steers a path.
fn plain(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut out, c| {
        match c {
            '\u{ff0e}' | '\u{fe52}' | '\u{2024}' => out.push('.'),
            '\u{2025}' => out.push_str(".."),
            '\u{ff0f}' | '\u{2215}' | '\u{2044}' | '\u{29f8}' => out.push('/'),
            '\u{ff3c}' | '\u{fe68}' | '\u{29f5}' | '\u{29f9}' | '\u{2216}' => out.push('\\'),
            '\u{ff05}' | '\u{fe6a}' => out.push('%'),
            '\u{ff1b}' | '\u{fe54}' => out.push(';'),
            // Characters without width are dropped by some.
            '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}' | '\u{ad}' => {}
            c => out.push(c),
        }
        out
    })
}

/// `%uXXXX` (IIS) and overlong UTF-8 (`%c0%ae`): strict servers see bytes, lenient ones `.` and `/`.
fn two_ways(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    let wide = |rest: &str| {
        rest.strip_prefix('u')
            .is_some_and(|rest| rest.bytes().take(4).filter(u8::is_ascii_hexdigit).count() == 4)
    };
    // What starts so says in two, three or four bytes what one byte less can say.
    ["%c0", "%c1", "%e0%8", "%e0%9", "%f0%8"].iter().any(|lead| text.contains(lead))
        || text.split('%').skip(1).any(wide)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_some_server_reads_as_a_dot_segment_is_one() {
        for text in [
            ".. ",
            " ..",
            "..%20",
            "%2e%2e ",
            ".. ;x",
            "\u{ff0e}\u{ff0e}",
            "\u{2025}",
            "\u{2024}.",
            "%ef%bc%8e.",
            "a\u{ff0f}b",
            "a\u{2215}b",
            "a\u{ff3c}b",
            "%c0%ae%c0%ae",
            "%C0%AF",
            "%25c0%25ae",
            "%e0%80%ae",
            "%f0%80%80%ae",
            "%u002e%u002e",
            "%U002F",
            "\u{ff05}2e.",
            ".\u{200b}.",
        ] {
            assert!(leaves(text).is_some(), "{text:?}");
        }
        for text in
            ["...", "a..b", "50%", "100%zz", "%e0%a4%85", "%f0%9f%98%80", "%c3%a9", "%unit", "名前", "v1.2 "]
        {
            assert_eq!(leaves(text), None, "{text:?}");
        }
    }
}
