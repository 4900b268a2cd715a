//! Names taken apart into words.

/// The words of a name in lower case: `refundPayment`, `refund-payment`, `refund_payment` and
/// `refund.payment` are all `refund`, `payment`; `HTTPServer2` is `http`, `server2`.
#[must_use]
pub fn words(name: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut chars = name.chars().take(400).peekable();
    let mut before: Option<char> = None;
    while let Some(c) = chars.next() {
        let upper = c.is_uppercase();
        let starts = upper
            && (before.is_some_and(|b| b.is_lowercase() || b.is_numeric())
                || (before.is_some_and(char::is_uppercase)
                    && chars.peek().is_some_and(|next| next.is_lowercase())));
        if (!c.is_alphanumeric() || starts) && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        if c.is_alphanumeric() {
            if c.is_ascii() {
                word.push(c.to_ascii_lowercase());
            } else {
                word.extend(c.to_lowercase());
            }
        }
        before = Some(c);
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

/// The word without its plural ending, as far as English spelling tells.
#[must_use]
pub fn singular(word: &str) -> &str {
    match word.strip_suffix('s') {
        Some(stem) if !stem.ends_with(['s', 'u', 'i']) && (stem.len() > 2 || stem == "id") => stem,
        _ => word,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_style_gives_the_same_words() {
        for name in [
            "refundPayment",
            "RefundPayment",
            "refund-payment",
            "refund_payment",
            "refund.payment",
            "refund:payment",
        ] {
            assert_eq!(words(name), ["refund", "payment"], "{name}");
        }
        assert_eq!(words("getIAMPolicy2"), ["get", "iam", "policy2"]);
        assert_eq!(words("card[number]"), ["card", "number"]);
        assert_eq!(words("--"), Vec::<String>::new());
        assert_eq!(
            (singular("payments"), singular("address"), singular("status")),
            ("payment", "address", "status")
        );
    }
}
