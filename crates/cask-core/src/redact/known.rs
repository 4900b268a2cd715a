//! What redaction has found out already: traffic says the same keys and strings thousands of times.
//!
//! A text has one place, found by a hash, and takes it if it is free, or when it comes again. So memory is bounded, nothing depends on
//! the order (a text that was forgotten is only looked at again), and texts made to collide cost no more than texts
//! that are new.

use std::fmt;

use super::keys::Verdict;
use crate::json;

/// Keys remembered by a pass over many exchanges.
const KEYS: usize = 1 << 12;
/// Keys remembered while one value is walked: the members of a list's objects repeat.
const FEW_KEYS: usize = 1 << 6;
/// Strings remembered by a pass over many exchanges; for a single value it does not pay.
const STRINGS: usize = 1 << 15;
/// Names of headers remembered by a pass over many exchanges.
const HEADERS: usize = 1 << 8;
/// Longer texts are not remembered, in bytes.
const MAX_LEN: usize = 256;

/// The keys and header names judged, and the strings found clean.
pub(super) struct Known {
    keys: Slots<Verdict>,
    headers: Slots<Verdict>,
    clean: Slots<()>,
}

/// It holds raw keys, which may be e-mail addresses: nothing of it is shown.
impl fmt::Debug for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Known")
    }
}

impl Known {
    /// For many exchanges.
    pub fn long() -> Self {
        Self { keys: Slots::new(KEYS), headers: Slots::new(HEADERS), clean: Slots::new(STRINGS) }
    }

    /// For one value.
    pub fn brief() -> Self {
        Self { keys: Slots::new(FEW_KEYS), headers: Slots::new(0), clean: Slots::new(0) }
    }

    /// What is known of a key, else what `judge` says.
    pub fn key(&mut self, key: &str, judge: impl FnOnce(&str) -> Verdict) -> Verdict {
        self.keys.look(key, || Some(judge(key))).unwrap_or_default()
    }

    /// What is known of a header's name, else what `judge` says.
    pub fn header(&mut self, name: &str, judge: impl FnOnce(&str) -> Verdict) -> Verdict {
        self.headers.look(name, || Some(judge(name))).unwrap_or_default()
    }

    /// What `look` makes of a text; nothing where the text is known to be clean.
    pub fn clean(&mut self, text: &str, look: impl FnOnce() -> Option<String>) -> Option<String> {
        let mut replaced = None;
        self.clean.look(text, || {
            replaced = look();
            replaced.is_none().then_some(())
        });
        replaced
    }
}

struct Slots<T>(Vec<Slot<T>>);

/// One place. Once it is taken, whoever comes a second time takes it: most texts that are said only once are never
/// copied.
struct Slot<T> {
    /// Of the text that has the place.
    mark: u32,
    /// Of the last other text that came here.
    other: u32,
    known: Option<(Box<str>, T)>,
}

impl<T: Copy> Slots<T> {
    /// `count` is a power of two, or nothing.
    fn new(count: usize) -> Self {
        Self((0..count).map(|_| Slot { mark: 0, other: 0, known: None }).collect())
    }

    fn look(&mut self, text: &str, find: impl FnOnce() -> Option<T>) -> Option<T> {
        if self.0.is_empty() || text.len() > MAX_LEN {
            return find();
        }
        let (place, mark) = place(text);
        let at = place & (self.0.len() - 1);
        let Some(slot) = self.0.get_mut(at) else { return find() };
        if let Some((known, value)) = &slot.known
            && slot.mark == mark
            && **known == *text
        {
            return Some(*value);
        }
        let value = find()?;
        if slot.other == mark || slot.known.is_none() {
            (slot.mark, slot.known) = (mark, Some((text.into(), value)));
        }
        slot.other = mark;
        Some(value)
    }
}

/// Where a text belongs, and its mark there.
#[allow(clippy::cast_possible_truncation, reason = "two parts of one hash")]
fn place(text: &str) -> (usize, u32) {
    let mixed = json::hash(text);
    ((mixed >> 44) as usize, (mixed >> 12) as u32 | 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_found_clean_is_not_looked_at_again() {
        let mut known = Known::long();
        let mut looks = 0;
        for _ in 0..4 {
            let clean = known.clean("storage.buckets.get", || {
                looks += 1;
                None
            });
            assert_eq!(clean, None);
            assert_eq!(
                known.clean("ann@mail.example", || Some("redacted".into())).as_deref(),
                Some("redacted")
            );
        }
        assert_eq!(looks, 1);
        let long = "x".repeat(MAX_LEN + 1);
        assert!((0..3).all(|_| known.clean(&long, || None).is_none()));
        assert!(known.clean(&long, || Some(String::new())).is_some());
    }

    #[test]
    fn a_place_is_given_to_who_comes_again() {
        let mut slots = Slots::new(1);
        let mut known = |text: &str| {
            let mut looked = false;
            slots.look(text, || {
                looked = true;
                Some(())
            });
            !looked
        };
        let seen = ["a", "a", "a", "b", "a", "b", "b", "a", "c", "b"].map(&mut known);
        assert_eq!(seen, [false, true, true, false, true, false, true, false, false, true]);
        assert!(Slots::<()>::new(0).look("a", || None).is_none());
    }
}
