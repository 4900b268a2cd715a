//! Finds credentials in what an upstream sends back, also where they come back in another spelling.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use cask_core::redact::Kind;
use zeroize::Zeroizing;

/// What stands for a credential.
pub const MASK: &str = Kind::Credential.placeholder();

/// Shorter texts are no secret, and too common to be replaced.
const MIN_FORM: usize = 4;

/// The texts by which a credential may come back, longest first: itself, without its scheme, as Basic
/// encodes and decodes it, the password alone, the values of its cookies.
pub(crate) fn forms(credential: &str) -> Vec<Zeroizing<String>> {
    let mut forms = vec![Zeroizing::new(credential.to_owned())];
    if let Some((scheme, bare)) = credential.split_once(' ') {
        forms.push(Zeroizing::new(bare.to_owned()));
        let decoded = STANDARD.decode(bare).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        if let Some(decoded) = decoded.filter(|_| scheme.eq_ignore_ascii_case("basic")) {
            forms.push(Zeroizing::new(decoded));
        }
    }
    for at in 0..forms.len() {
        let Some(pair) = forms.get(at).cloned() else { break };
        if let Some((_, password)) = pair.split_once(':') {
            forms.push(Zeroizing::new(password.to_owned()));
            // Without padding it is found in both ways to write it.
            forms.push(Zeroizing::new(STANDARD_NO_PAD.encode(pair.as_bytes())));
            forms.push(Zeroizing::new(URL_SAFE_NO_PAD.encode(pair.as_bytes())));
        }
    }
    for cookie in credential.split(';').filter(|_| credential.contains('=')) {
        forms.push(Zeroizing::new(cookie.trim().to_owned()));
        if let Some((_, value)) = cookie.split_once('=') {
            forms.push(Zeroizing::new(value.trim().to_owned()));
        }
    }
    forms.retain(|form| form.len() >= MIN_FORM);
    forms.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
    forms.dedup();
    forms
}

/// Replaces a form wherever it stands in a text, literally or escaped. Where the text was `cut`, the
/// beginning of a form at its end goes too.
pub(crate) fn mask(mut text: String, form: &str, cut: bool) -> String {
    if text.contains(form) {
        text = text.replace(form, MASK);
    }
    if !cut && !text.contains(['%', '\\', '&', '+']) {
        return text;
    }
    let mut out = String::new();
    let (mut done, mut at) = (0, 0);
    while at < text.len() {
        let end = match spelled(text.as_bytes(), at, form.as_bytes()) {
            Spelled::To(end) => end,
            Spelled::UpToTheEnd if cut => text.len(),
            _ => {
                at += 1;
                continue;
            }
        };
        out.push_str(text.get(done..at).unwrap_or_default());
        out.push_str(MASK);
        (done, at) = (end, end);
    }
    if done == 0 {
        return text;
    }
    out.push_str(text.get(done..).unwrap_or_default());
    out
}

/// Whether a number is the credential.
pub(crate) fn is_number(number: &serde_json::Number, form: &str) -> bool {
    let digits = form.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-'));
    // Long ones lose their last digits on the way through JSON.
    digits
        && (number.to_string() == form || form.parse().ok().is_some_and(|form| number.as_f64() == Some(form)))
}

/// What stands at a place of a text.
enum Spelled {
    /// The form, up to here.
    To(usize),
    /// The beginning of the form, and then the text ends.
    UpToTheEnd,
    Another,
}

fn spelled(text: &[u8], start: usize, form: &[u8]) -> Spelled {
    let mut at = start;
    for &wanted in form {
        let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) else {
            return if at == start { Spelled::Another } else { Spelled::UpToTheEnd };
        };
        match one(rest, wanted) {
            Some(len) => at += len,
            // An escape that the end of the text broke off.
            None if at > start && rest.len() < 6 && matches!(rest.first(), Some(b'%' | b'\\' | b'&')) => {
                return Spelled::UpToTheEnd;
            }
            None => return Spelled::Another,
        }
    }
    Spelled::To(at)
}

/// How many bytes spell `wanted` at the start of a text: percent-encoded (however often), as JSON or HTML
/// escapes it, as itself.
fn one(text: &[u8], wanted: u8) -> Option<usize> {
    let hex = |digits: &[u8]| {
        std::str::from_utf8(digits).ok().and_then(|digits| u8::from_str_radix(digits, 16).ok())
            == Some(wanted)
    };
    let escaped = match text {
        [b'%', rest @ ..] => {
            let mut skipped = 1;
            let mut rest = rest;
            while let Some(after) = rest.strip_prefix(b"25").filter(|_| wanted != b'%') {
                (rest, skipped) = (after, skipped + 2);
            }
            rest.get(..2).filter(|digits| hex(digits)).map(|_| skipped + 2)
        }
        [b'\\', b'u', b'0', b'0', high, low, ..] => hex(&[*high, *low]).then_some(6),
        [b'\\', next, ..] => (*next == wanted).then_some(2),
        [b'&', rest @ ..] => {
            let end = rest.iter().take(8).position(|byte| *byte == b';');
            let name = end.and_then(|end| rest.get(..end));
            name.filter(|name| entity(name, wanted)).map(|name| name.len() + 2)
        }
        [b'+', ..] => (wanted == b' ').then_some(1),
        _ => None,
    };
    escaped.or_else(|| (text.first() == Some(&wanted)).then_some(1))
}

fn entity(name: &[u8], wanted: u8) -> bool {
    let Ok(name) = std::str::from_utf8(name) else { return false };
    let code = match name.strip_prefix('#') {
        Some(code) => match code.strip_prefix(['x', 'X']) {
            Some(digits) => u8::from_str_radix(digits, 16).ok(),
            None => code.parse().ok(),
        },
        None => match name {
            "amp" => Some(b'&'),
            "lt" => Some(b'<'),
            "gt" => Some(b'>'),
            "quot" => Some(b'"'),
            "apos" => Some(b'\''),
            _ => None,
        },
    };
    code == Some(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(credential: &str, text: &str, cut: bool) -> String {
        forms(credential).iter().fold(text.to_owned(), |text, form| mask(text, form, cut))
    }

    #[test]
    fn other_spellings_are_found() {
        let key = "S3cret/Tok+en=Val9 &x";
        for text in [
            "S3cret/Tok+en=Val9 &x",
            "S3cret%2FTok%2Ben%3DVal9%20%26x",
            "S3cret%2fTok%2ben%3dVal9+%26x",
            "S3cret%252FTok%252Ben%253DVal9%2520%2526x",
            "S3cret/Tok%2Ben=Val9%20&x",
            "S3cret\\/Tok\\u002Ben=Val9 \\u0026x",
            "S3cret&#x2F;Tok+en&#61;Val9 &amp;x",
        ] {
            assert_eq!(masked(key, &format!("ä {text}!"), false), format!("ä {MASK}!"), "{text}");
        }
        assert_eq!(masked(key, "S3cret and 100% more", false), "S3cret and 100% more");
    }

    #[test]
    fn parts_that_are_secret_by_themselves_are_found() {
        assert_eq!(masked("alice:Tr0ub4dor&3", "wrong: Tr0ub4dor&3", false), format!("wrong: {MASK}"));
        assert_eq!(masked("alice:Tr0ub4dor&3", "alice is fine", false), "alice is fine");
        let encoded = STANDARD.encode("alice:Tr0ub4dor&3");
        assert_eq!(masked("alice:Tr0ub4dor&3", encoded.trim_end_matches('='), false), MASK);
        assert_eq!(
            masked(&format!("Basic {encoded}"), "alice:Tr0ub4dor&3, Tr0ub4dor&3", false),
            format!("{MASK}, {MASK}")
        );
        assert_eq!(
            masked("sid=abcdEFGH; csrf=zzzYYY88", "csrf is zzzYYY88", false),
            format!("csrf is {MASK}")
        );
        assert!(is_number(&8_273_645_182_736_451_u64.into(), "8273645182736451"));
        assert!(!is_number(&8_273_645.into(), "8273645182736451"));
    }

    #[test]
    fn the_half_that_a_cut_leaves_goes() {
        assert_eq!(masked("tok-hunter2", "x tok-hunter2 tok-hun", true), format!("x {MASK} {MASK}"));
        assert_eq!(masked("tok-hunter2", "x tok-hun", false), "x tok-hun");
        assert_eq!(masked("tok/hunter2", "x tok%2", true), format!("x {MASK}"));
    }
}
