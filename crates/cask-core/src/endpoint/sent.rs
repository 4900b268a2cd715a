//! What the values that callers sent at one position kept to, so that a limit can be proposed.
//!
//! Kept of requests only: how far answers reach limits nobody. Merging is associative and independent of order.

/// The longest beginning of texts that is remembered, in bytes.
const MAX_BEGIN: usize = 64;

/// What the values that callers sent had in common.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sent {
    /// The least and the greatest whole number.
    pub numbers: Option<(i64, i64)>,
    /// A whole number was too great to be held: then there are no bounds.
    pub beyond: bool,
    /// How many truth values were true.
    pub truths: u32,
    /// How all texts begin, up to 64 bytes; `None` before the first. What travelled as text counts, whatever it reads as.
    pub begin: Option<Box<str>>,
    /// Not all texts were the same, or one was too long to tell.
    pub differ: bool,
}

impl Sent {
    /// Adds a whole number; `None` is one that is too great.
    pub fn number(&mut self, number: Option<i64>) {
        match number {
            Some(number) => self.reach(number, number),
            None => self.beyond = true,
        }
    }

    /// Adds a truth value.
    pub fn truth(&mut self, truth: bool) {
        self.truths += u32::from(truth);
    }

    /// Adds a text.
    pub fn text(&mut self, text: &str) {
        let clipped = clip(text);
        self.begins(clipped, clipped.len() < text.len());
    }

    /// Adds everything another one has seen.
    pub fn merge(&mut self, other: &Sent) {
        if let Some((least, greatest)) = other.numbers {
            self.reach(least, greatest);
        }
        self.beyond |= other.beyond;
        self.truths += other.truths;
        if let Some(begin) = &other.begin {
            self.begins(begin, other.differ);
        }
    }

    fn reach(&mut self, low: i64, high: i64) {
        let (least, greatest) = self.numbers.get_or_insert((low, high));
        (*least, *greatest) = (low.min(*least), high.max(*greatest));
    }

    fn begins(&mut self, text: &str, differ: bool) {
        self.differ |= differ;
        let Some(begin) = &mut self.begin else {
            self.begin = Some(text.into());
            return;
        };
        if begin.as_ref() == text {
            return;
        }
        self.differ = true;
        let common: usize = begin
            .chars()
            .zip(text.chars())
            .take_while(|(one, other)| one == other)
            .map(|(one, _)| one.len_utf8())
            .sum();
        if common < begin.len() {
            *begin = text.get(..common).unwrap_or_default().into();
        }
    }
}

fn clip(text: &str) -> &str {
    text.get(..text.floor_char_boundary(MAX_BEGIN)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(texts: &[String]) -> Sent {
        let mut sent = Sent::default();
        texts.iter().for_each(|text| sent.text(text));
        sent
    }

    proptest! {
        #[test]
        fn however_it_is_split_it_is_the_same(
            texts in prop::collection::vec("(ab|é|aé){0,3}[a-c]{0,70}", 0..8), numbers in prop::collection::vec(any::<i64>(), 0..8), at in 0usize..8,
        ) {
            let whole = {
                let mut sent = of(&texts);
                numbers.iter().for_each(|number| sent.number(Some(*number)));
                sent
            };
            let (left, right) = texts.split_at(at.min(texts.len()));
            let mut merged = of(right);
            numbers.iter().rev().for_each(|number| merged.number(Some(*number)));
            merged.merge(&of(left));
            prop_assert_eq!(&merged, &whole);
            if let Some(begin) = &whole.begin {
                prop_assert!(texts.iter().all(|text| text.starts_with(begin.as_ref())));
                prop_assert_eq!(whole.differ, texts.iter().any(|text| text.as_str() != begin.as_ref()));
            }
            prop_assert_eq!(whole.numbers.map(|(least, _)| least), numbers.iter().min().copied());
        }
    }
}
