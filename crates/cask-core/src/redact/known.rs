//! What redaction has found out already: traffic says the same keys and strings thousands of times.
//!
//! A text has one place, found by a hash, and whoever comes later takes it. So memory is bounded, nothing
//! depends on the order (a text that was forgotten is only looked at again), and texts made to collide cost no
//! more than texts that are new.

use super::keys::Verdict;

/// Keys remembered by a pass over many exchanges, and by one over a single value.
const KEYS: [usize; 2] = [1 << 12, 1 << 6];
/// Strings remembered by a pass over many exchanges; for a single value it does not pay.
const STRINGS: usize = 1 << 14;
/// Longer texts are not remembered, in bytes.
const MAX_LEN: usize = 256;

/// The keys judged and the strings found clean.
#[derive(Debug)]
pub(super) struct Known {
    keys: Slots<Verdict>,
    clean: Slots<()>,
}

impl Known {
    /// For many exchanges.
    pub fn long() -> Self {
        Self { keys: Slots::new(KEYS[0]), clean: Slots::new(STRINGS) }
    }

    /// For one value.
    pub fn brief() -> Self {
        Self { keys: Slots::new(KEYS[1]), clean: Slots::new(0) }
    }

    /// What is known of a key, else what `judge` says.
    pub fn key(&mut self, key: &str, judge: impl FnOnce(&str) -> Verdict) -> Verdict {
        self.keys.look(key, || Some(judge(key))).unwrap_or_default()
    }

    /// Whether the text is known to be clean, else whether `look` finds that it is.
    pub fn is_clean(&mut self, text: &str, look: impl FnOnce() -> bool) -> bool {
        self.clean.look(text, || look().then_some(())).is_some()
    }
}

#[derive(Debug)]
struct Slots<T>(Vec<Option<(Box<str>, T)>>);

impl<T: Copy> Slots<T> {
    /// `count` is a power of two, or nothing.
    fn new(count: usize) -> Self {
        Self((0..count).map(|_| None).collect())
    }

    fn look(&mut self, text: &str, find: impl FnOnce() -> Option<T>) -> Option<T> {
        let at = (text.len() <= MAX_LEN).then(|| place(text) & self.0.len().wrapping_sub(1));
        let Some(slot) = at.and_then(|at| self.0.get_mut(at)) else { return find() };
        match slot {
            Some((known, value)) if **known == *text => Some(*value),
            _ => {
                let value = find()?;
                *slot = Some((text.into(), value));
                Some(value)
            }
        }
    }
}

/// Eight bytes at a time; good enough to spread texts, and not meant for more.
fn place(text: &str) -> usize {
    const MIX: u64 = 0x9e37_79b9_7f4a_7c15;
    let (words, rest) = text.as_bytes().as_chunks::<8>();
    let last = rest.iter().fold(text.len() as u64, |last, byte| (last << 8) | u64::from(*byte));
    let all = words.iter().map(|word| u64::from_le_bytes(*word)).chain([last]);
    let mixed = all.fold(0_u64, |hash, word| (hash.rotate_left(23) ^ word).wrapping_mul(MIX));
    // the high bits are the well mixed ones
    (mixed >> 40) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_found_once_is_not_looked_for_again() {
        let mut known = Known::long();
        let mut looks = 0;
        for _ in 0..3 {
            assert!(known.is_clean("storage.buckets.get", || {
                looks += 1;
                true
            }));
            assert!(!known.is_clean("eyJ", || false));
        }
        assert_eq!(looks, 1);
        let long = "x".repeat(MAX_LEN + 1);
        assert!(known.is_clean(&long, || true) && !known.is_clean(&long, || false));
    }

    #[test]
    fn a_place_that_is_taken_is_given_to_who_comes_later() {
        let mut slots = Slots::new(1);
        for text in ["a", "b", "a"] {
            let mut found = false;
            slots.look(text, || {
                found = true;
                Some(())
            });
            assert!(found, "{text}");
        }
        assert!(slots.look("a", || None).is_some());
        assert!(Slots::<()>::new(0).look("a", || None).is_none());
    }
}
