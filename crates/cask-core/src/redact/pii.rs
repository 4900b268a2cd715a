//! Personal data by its look: e-mail addresses, phone numbers, payment cards, IBANs, US social
//! security numbers. Written by hand, because the checks (Luhn, mod 97, what stands beside) matter
//! more than the pattern, and because ids full of digits must survive.

use std::net::IpAddr;
use std::ops::Range;

use super::Kind;

/// A place to redact.
pub(super) type Found = (Range<usize>, Kind);

/// Every e-mail address in the text (`@` may be written `%40`).
pub(super) fn emails(text: &str, found: &mut Vec<Found>) {
    let bytes = text.as_bytes();
    let ats = memchr::memchr2_iter(b'@', b'%', bytes).filter_map(|at| match bytes.get(at..at + 3) {
        Some(b"%40") => Some((at, at + 3)),
        _ if bytes.get(at) == Some(&b'@') => Some((at, at + 1)),
        _ => None,
    });
    for (at, after) in ats {
        let local = bytes.iter().take(at).rev().take(128).take_while(|byte| is_local(**byte)).count();
        let domain = bytes.iter().skip(after).take(255).take_while(|byte| is_domain(**byte)).count();
        let Some(name) = bytes.get(after..after + domain) else { continue };
        let trimmed = name.len() - name.iter().rev().take_while(|byte| matches!(byte, b'.' | b'-')).count();
        let Some(name) = name.get(..trimmed) else { continue };
        let top = name.rsplit(|byte| *byte == b'.').next().unwrap_or_default();
        let is_name = top.len() >= 2
            && top.len() < name.len() - 1
            && !name.starts_with(b".")
            && top.iter().all(|byte| byte.is_ascii_alphabetic() || *byte >= 0x80 || top.starts_with(b"xn--"));
        if local > 0 && is_name && text.is_char_boundary(at - local) && text.is_char_boundary(after + trimmed)
        {
            found.push((at - local..after + trimmed, Kind::Email));
        }
    }
}

fn is_local(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || byte >= 0x80
        || matches!(byte, b'.' | b'_' | b'%' | b'+' | b'-' | b'\'' | b'!' | b'#' | b'$' | b'*' | b'^' | b'~')
}

fn is_domain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte >= 0x80 || matches!(byte, b'.' | b'-')
}

/// Every phone number, card and social security number that its own form gives away.
pub(super) fn numbers(text: &str, found: &mut Vec<Found>) {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let hit = match byte {
            b'+' => international(bytes, at, at + 1),
            b'%' if matches!(bytes.get(at + 1..at + 3), Some(b"2B" | b"2b")) => {
                international(bytes, at, at + 3)
            }
            b'(' | b'0'..=b'9' if stands_alone_left(bytes, at) => grouped(bytes, at),
            _ => None,
        };
        match hit {
            Some((end, kind)) => {
                found.push((at..end, kind));
                at = end;
            }
            None => at += 1,
        }
    }
}

/// Nothing before that would make the digits part of an id, a version, a path or a decimal.
fn stands_alone_left(bytes: &[u8], at: usize) -> bool {
    at.checked_sub(1).and_then(|before| bytes.get(before)).is_none_or(|byte| {
        !byte.is_ascii_alphanumeric()
            && !matches!(byte, b'_' | b'-' | b'.' | b'+' | b'%' | b'$' | b'(')
            && *byte < 0x80
    })
}

fn stands_alone_right(bytes: &[u8], end: usize) -> bool {
    match (bytes.get(end), bytes.get(end + 1)) {
        (None, _) => true,
        (Some(b'.' | b':' | b'-' | b','), next) => next.is_none_or(|byte| !byte.is_ascii_alphanumeric()),
        (Some(byte), _) => !byte.is_ascii_alphanumeric() && *byte != b'_' && *byte < 0x80,
    }
}

/// ITU E.164 with the usual separators: `+1-555-0123-4567`, `+44 (0)20 7946 0958`.
fn international(bytes: &[u8], plus: usize, start: usize) -> Option<(usize, Kind)> {
    let joined =
        plus.checked_sub(1).and_then(|before| bytes.get(before)).is_some_and(u8::is_ascii_alphanumeric);
    if joined || !matches!(bytes.get(start), Some(b'1'..=b'9')) {
        return None;
    }
    let (mut digits, mut end, mut at, mut gap, mut first_group) = (0, start, start, 0, None);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'0'..=b'9' if digits < 15 => {
                digits += 1;
                end = at + 1;
                gap = 0;
            }
            b' ' | b'-' | b'.' | b'(' | b')' | b'/' if gap < 2 => {
                gap += 1;
                first_group.get_or_insert(digits);
            }
            _ => break,
        }
        at += 1;
    }
    // `+1000 2018` is a time zone and a year.
    let zone = digits == 8 && first_group == Some(4);
    (digits >= 8 && !zone && stands_alone_right(bytes, end)).then_some((end, Kind::Phone))
}

/// Digit groups with separators: card, social security number or North American number, by the
/// length of the first group.
fn grouped(bytes: &[u8], start: usize) -> Option<(usize, Kind)> {
    const CARDS: &[&[u8]] = &[
        b"#### #### #### ####",
        b"####-####-####-####",
        b"#### ###### #####",
        b"####-######-#####",
        b"#### ###### ####",
        b"####-######-####",
    ];
    const PREFIXED: &[&[u8]] =
        &[b"1-N##-N##-####", b"1 N## N## ####", b"1.N##.N##.####", b"1-###-####-####", b"1 (N##) N##-####"];
    const NATIONAL: &[&[u8]] = &[b"N##-N##-####", b"N##.N##.####", b"N## N## ####"];
    const BRACKETED: &[&[u8]] = &[b"(N##) N##-####", b"(N##)N##-####"];
    let first = bytes.iter().skip(start).take(5).take_while(|byte| byte.is_ascii_digit()).count();
    let (shapes, kind) = match first {
        4 => (CARDS, Kind::Card),
        3 => (NATIONAL, Kind::Phone),
        1 => (PREFIXED, Kind::Phone),
        0 => (BRACKETED, Kind::Phone),
        _ => return None,
    };
    let ends = |shape: &[u8]| pattern(bytes, start, shape).filter(|end| stands_alone_right(bytes, *end));
    if first == 3
        && let Some(end) = ends(b"###-##-####")
        && bytes.get(start..end).is_some_and(issued_ssn)
    {
        return Some((end, Kind::Ssn));
    }
    let good = |end: &usize| kind != Kind::Card || bytes.get(start..*end).is_some_and(card_digits);
    shapes.iter().filter_map(|shape| ends(shape)).find(good).map(|end| (end, kind))
}

/// Where the shape ends, if it stands at `start`: `#` is a digit, `N` one of 2 to 9.
fn pattern(bytes: &[u8], start: usize, shape: &[u8]) -> Option<usize> {
    let end = start + shape.len();
    let fits = bytes.get(start..end)?.iter().zip(shape).all(|(byte, want)| match want {
        b'#' => byte.is_ascii_digit(),
        b'N' => (b'2'..=b'9').contains(byte),
        _ => byte == want,
    });
    fits.then_some(end)
}

/// Every IBAN (ISO 13616), with or without spaces.
pub(super) fn ibans(text: &str, found: &mut Vec<Found>) {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some([a, b, c, d]) = bytes.get(at..at + 4) {
        let starts =
            a.is_ascii_uppercase() && b.is_ascii_uppercase() && c.is_ascii_digit() && d.is_ascii_digit();
        if starts
            && at
                .checked_sub(1)
                .and_then(|before| bytes.get(before))
                .is_none_or(|byte| !byte.is_ascii_alphanumeric() && *byte != b'_')
            && let Some(end) = iban_end(bytes, at, [*a, *b])
        {
            found.push((at..end, Kind::Iban));
            at = end;
        } else {
            at += 1;
        }
    }
}

/// Lengths by country (SWIFT IBAN registry), two letters and a number each.
const IBAN_LENGTHS: &[(&[u8; 2], usize)] = &[
    (b"AD", 24),
    (b"AE", 23),
    (b"AL", 28),
    (b"AT", 20),
    (b"AZ", 28),
    (b"BA", 20),
    (b"BE", 16),
    (b"BG", 22),
    (b"BH", 22),
    (b"BI", 27),
    (b"BR", 29),
    (b"BY", 28),
    (b"CH", 21),
    (b"CR", 22),
    (b"CY", 28),
    (b"CZ", 24),
    (b"DE", 22),
    (b"DJ", 27),
    (b"DK", 18),
    (b"DO", 28),
    (b"EE", 20),
    (b"EG", 29),
    (b"ES", 24),
    (b"FI", 18),
    (b"FK", 18),
    (b"FO", 18),
    (b"FR", 27),
    (b"GB", 22),
    (b"GE", 22),
    (b"GI", 23),
    (b"GL", 18),
    (b"GR", 27),
    (b"GT", 28),
    (b"HN", 28),
    (b"HR", 21),
    (b"HU", 28),
    (b"IE", 22),
    (b"IL", 23),
    (b"IQ", 23),
    (b"IS", 26),
    (b"IT", 27),
    (b"JO", 30),
    (b"KW", 30),
    (b"KZ", 20),
    (b"LB", 28),
    (b"LC", 32),
    (b"LI", 21),
    (b"LT", 20),
    (b"LU", 20),
    (b"LV", 21),
    (b"LY", 25),
    (b"MC", 27),
    (b"MD", 24),
    (b"ME", 22),
    (b"MK", 19),
    (b"MN", 20),
    (b"MR", 27),
    (b"MT", 31),
    (b"MU", 30),
    (b"NI", 28),
    (b"NL", 18),
    (b"NO", 15),
    (b"OM", 23),
    (b"PK", 24),
    (b"PL", 28),
    (b"PS", 29),
    (b"PT", 25),
    (b"QA", 29),
    (b"RO", 24),
    (b"RS", 22),
    (b"RU", 33),
    (b"SA", 24),
    (b"SC", 31),
    (b"SD", 18),
    (b"SE", 24),
    (b"SI", 19),
    (b"SK", 24),
    (b"SM", 27),
    (b"SO", 23),
    (b"ST", 25),
    (b"SV", 28),
    (b"TL", 23),
    (b"TN", 24),
    (b"TR", 26),
    (b"UA", 29),
    (b"VA", 22),
    (b"VG", 24),
    (b"XK", 20),
    (b"YE", 30),
];

fn iban_end(bytes: &[u8], start: usize, country: [u8; 2]) -> Option<usize> {
    let length = IBAN_LENGTHS.iter().find(|(code, _)| **code == country)?.1;
    let mut letters = Vec::with_capacity(length);
    let mut at = start;
    while letters.len() < length {
        match bytes.get(at)? {
            byte if byte.is_ascii_uppercase() || byte.is_ascii_digit() => letters.push(*byte),
            b' ' if letters.len() % 4 == 0 => {}
            _ => return None,
        }
        at += 1;
    }
    (mod_97(&letters) == 1 && bytes.get(at).is_none_or(|byte| !byte.is_ascii_alphanumeric() && *byte != b'_'))
        .then_some(at)
}

/// ISO 7064 mod 97-10 with the first four characters moved to the end.
fn mod_97(letters: &[u8]) -> u32 {
    let (head, tail) = letters.split_at(letters.len().min(4));
    tail.iter().chain(head).fold(0, |rest, byte| match byte {
        b'0'..=b'9' => (rest * 10 + u32::from(byte - b'0')) % 97,
        _ => (rest * 100 + u32::from(byte.to_ascii_uppercase().saturating_sub(b'A')) + 10) % 97,
    })
}

/// Luhn checksum, issuer prefix and length of a payment card (ISO/IEC 7812); separators are ignored.
fn card_digits(bytes: &[u8]) -> bool {
    let digits: Vec<u8> = bytes.iter().filter(|byte| byte.is_ascii_digit()).map(|byte| byte - b'0').collect();
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| match (place % 2, u32::from(*digit)) {
            (0, digit) => digit,
            (_, digit) => digit * 2 - if digit > 4 { 9 } else { 0 },
        })
        .sum();
    let prefix = digits.iter().take(4).fold(0_u32, |value, digit| value * 10 + u32::from(*digit));
    let issued = match digits.len() {
        14 => matches!(prefix, 3000..=3059 | 3095 | 3600..=3699 | 3800..=3999),
        15 => matches!(prefix, 3400..=3499 | 3700..=3799),
        13 | 16..=19 => matches!(
            prefix,
            2200..=2204 | 2221..=2720 | 3528..=3589 | 4000..=4999 | 5000..=5099 | 5100..=5899 | 6011 | 6200..=6299 | 6440..=6599 | 6304 | 6700..=6799
        ),
        _ => false,
    };
    issued && sum.is_multiple_of(10)
}

fn issued_ssn(bytes: &[u8]) -> bool {
    let digits: Vec<u8> = bytes.iter().filter(|byte| byte.is_ascii_digit()).copied().collect();
    match digits.as_slice() {
        [b'9', ..] | [b'0', b'0', b'0', ..] | [b'6', b'6', b'6', ..] => false,
        [_, _, _, b'0', b'0', ..] | [.., b'0', b'0', b'0', b'0'] => false,
        digits => digits.len() == 9,
    }
}

/// Digits and separators only, 6 to 17 digits: a phone number where the key says so.
pub(super) fn is_phone(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let plain = text.bytes().all(|byte| byte.is_ascii_digit() || b"+-. ()/x#extEXT:;=,".contains(&byte));
    (6..=21).contains(&digits) && plain && !is_date(text)
}

/// A card number as such, where the key says so.
pub(super) fn is_card(text: &str) -> bool {
    only(text, |byte| byte.is_ascii_digit()) && card_digits(text.as_bytes())
}

/// An IBAN in any case, where the key says so: the checksum is not asked for.
pub(super) fn is_iban(text: &str) -> bool {
    text.len() >= 12
        && only(text, |byte| byte.is_ascii_alphanumeric())
        && text.bytes().filter(u8::is_ascii_digit).count() >= 6
}

/// A tax or social security number, where the key says so.
pub(super) fn is_ssn(text: &str) -> bool {
    (5..=14).contains(&text.bytes().filter(u8::is_ascii_digit).count())
        && only(text, |byte| byte.is_ascii_alphanumeric())
        && text.len() <= 20
}

/// A short code (one-time password, PIN, CVC, recovery code), where the key says so.
pub(super) fn is_short_code(text: &str) -> bool {
    (3..=64).contains(&text.len())
        && only(text, |byte| byte.is_ascii_alphanumeric())
        && text.bytes().any(|byte| byte.is_ascii_digit())
}

/// An IP address in its usual form.
pub(super) fn is_ip(text: &str) -> bool {
    text.parse::<IpAddr>().is_ok()
}

/// A card number without separators, in text that speaks of a card.
pub(super) fn is_bare_card(text: &str) -> bool {
    card_digits(text.as_bytes())
}

fn only(text: &str, of: impl Fn(u8) -> bool) -> bool {
    text.bytes().all(|byte| of(byte) || matches!(byte, b' ' | b'-' | b'.'))
}

/// A UUID (RFC 9562).
pub(super) fn is_uuid(text: &str) -> bool {
    let bytes = text.as_bytes();
    let dash = |at: usize| bytes.get(at) == Some(&b'-');
    bytes.len() == 36
        && dash(8)
        && dash(13)
        && dash(18)
        && dash(23)
        && bytes.iter().all(|byte| byte.is_ascii_hexdigit() || *byte == b'-')
}

/// `2025-03-01…`: the most common string full of digits.
pub(super) fn is_date(text: &str) -> bool {
    let bytes = text.as_bytes();
    pattern(bytes, 0, b"####-##-##").is_some()
        && bytes.iter().all(|byte| byte.is_ascii_digit() || b"-:T.Z+ ".contains(byte))
}
