//! A map for few keys: a sorted list.
//!
//! A summary is made of many thousands of maps, most of them with one to five keys. A tree reserves room for
//! eleven at once; a list takes what it needs, and two of them are merged in one walk. What makes the keys many
//! must be bounded elsewhere: inserting moves all that comes after.

use std::borrow::Borrow;
use std::cmp::Ordering;

/// Keys in order, each once, with their values.
#[derive(Debug, Clone, PartialEq)]
pub struct Few<K, V>(Vec<(K, V)>);

impl<K, V> Default for Few<K, V> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<K: Ord, V> Few<K, V> {
    /// How many keys there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no key.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Keys and values, in the order of the keys.
    pub fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.0.iter().map(|(key, value)| (key, value))
    }

    /// The keys in order.
    pub fn keys(&self) -> impl Iterator<Item = &K> {
        self.0.iter().map(|(key, _)| key)
    }

    /// The values, in the order of the keys.
    pub fn values(&self) -> impl Iterator<Item = &V> {
        self.0.iter().map(|(_, value)| value)
    }

    /// As [`Few::values`], to change them.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.0.iter_mut().map(|(_, value)| value)
    }

    /// As [`Few::iter`], to change the values.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (&K, &mut V)> {
        self.0.iter_mut().map(|(key, value)| (&*key, value))
    }

    fn find<Q: Ord + ?Sized>(&self, key: &Q) -> Result<usize, usize>
    where
        K: Borrow<Q>,
    {
        self.0.binary_search_by(|(mine, _)| mine.borrow().cmp(key))
    }

    /// The value under a key.
    pub fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.0.get(self.find(key).ok()?).map(|(_, value)| value)
    }

    /// As [`Few::get`], to change it.
    pub fn get_mut<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        let at = self.find(key).ok()?;
        self.0.get_mut(at).map(|(_, value)| value)
    }

    /// Whether a key is there.
    pub fn contains_key<Q: Ord + ?Sized>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.find(key).is_ok()
    }

    /// Makes room for this many keys, if there is none yet.
    pub fn expect(&mut self, keys: usize) {
        if self.0.capacity() == 0 {
            self.0.reserve_exact(keys);
        }
    }

    /// The value under a key, an empty one if there was none.
    pub fn slot<'q, Q: Ord + ?Sized>(&mut self, key: &'q Q) -> &mut V
    where
        K: Borrow<Q> + From<&'q Q>,
        V: Default,
    {
        let at = self.find(key).unwrap_or_else(|at| self.insert_at(at, key.into(), V::default()));
        #[expect(clippy::indexing_slicing, reason = "it was found or made there")]
        &mut self.0[at].1
    }

    /// Puts a value under a key, merged with what is there.
    pub fn add(&mut self, key: K, value: V, merge: impl FnOnce(&mut V, V)) {
        match self.find(&key) {
            Ok(at) => {
                if let Some((_, mine)) = self.0.get_mut(at) {
                    merge(mine, value);
                }
            }
            Err(at) => {
                self.insert_at(at, key, value);
            }
        }
    }

    fn insert_at(&mut self, at: usize, key: K, value: V) -> usize {
        if self.0.len() == self.0.capacity() {
            // a list's own first step would be to four
            self.0.reserve_exact(self.0.len().max(1));
        }
        self.0.insert(at, (key, value));
        at
    }

    /// Adds everything another one has.
    pub fn merge(&mut self, other: Self, merge: impl Fn(&mut V, V)) {
        if self.0.is_empty() {
            self.0 = other.0;
            return;
        }
        // Mostly the same keys come again: then nothing has to move.
        let mut at = 0;
        let mut rest = other.0.into_iter();
        while let Some((key, value)) = rest.next() {
            while self.0.get(at).is_some_and(|(mine, _)| *mine < key) {
                at += 1;
            }
            match self.0.get_mut(at) {
                Some((mine, slot)) if *mine == key => merge(slot, value),
                _ => return self.weave(at, (key, value), rest, merge),
            }
        }
    }

    /// Goes on with [`Few::merge`] from a key that is new.
    fn weave(
        &mut self,
        at: usize,
        first: (K, V),
        rest: impl ExactSizeIterator<Item = (K, V)>,
        merge: impl Fn(&mut V, V),
    ) {
        let mine = self.0.split_off(at);
        self.0.reserve_exact(mine.len() + 1 + rest.len());
        let (mut mine, mut theirs) =
            (mine.into_iter().peekable(), std::iter::once(first).chain(rest).peekable());
        while let (Some(one), Some(other)) = (mine.peek(), theirs.peek()) {
            let next = match one.0.cmp(&other.0) {
                Ordering::Less => mine.next(),
                Ordering::Greater => theirs.next(),
                Ordering::Equal => mine.next().map(|(key, mut value)| {
                    theirs.next().into_iter().for_each(|(_, other)| merge(&mut value, other));
                    (key, value)
                }),
            };
            self.0.extend(next);
        }
        self.0.extend(mine);
        self.0.extend(theirs);
    }

    /// Keeps what is told to be kept.
    pub fn retain(&mut self, mut keep: impl FnMut(&K, &V) -> bool) {
        self.0.retain(|(key, value)| keep(key, value));
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.0 = Vec::new();
    }
}

impl<K, V> IntoIterator for Few<K, V> {
    type Item = (K, V);
    type IntoIter = std::vec::IntoIter<(K, V)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// It is a map: whatever is done to it, it has what a tree would have.
        #[test]
        fn is_a_map(one in proptest::collection::vec((0..20_u32, 1..9_u64), 0..24), other in proptest::collection::vec((0..20_u32, 1..9_u64), 0..24)) {
            let build = |pairs: &[(u32, u64)]| {
                let (mut few, mut tree) = (Few::<u32, u64>::default(), BTreeMap::<u32, u64>::new());
                for (key, value) in pairs {
                    few.add(*key, *value, |mine, theirs| *mine += theirs);
                    *tree.entry(*key).or_default() += value;
                }
                (few, tree)
            };
            let ((mut few, mut tree), (more, more_tree)) = (build(&one), build(&other));
            prop_assert!(few.iter().eq(tree.iter()));
            prop_assert!((0..20).all(|key| few.get(&key) == tree.get(&key)));
            few.merge(more, |mine, theirs| *mine += theirs);
            more_tree.into_iter().for_each(|(key, value)| *tree.entry(key).or_default() += value);
            prop_assert!(few.iter().eq(tree.iter()));
            few.retain(|key, _| key % 2 == 0);
            tree.retain(|key, _| key % 2 == 0);
            prop_assert!(few.into_iter().eq(tree));
        }
    }
}
