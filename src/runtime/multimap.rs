//! Several values under one key, in a map that shares what it has in common with its copies.

use std::borrow::Borrow;

/// A persistent ordered map: a copy is one pointer, and a change copies of the path to its entry
/// what a copy shares.
pub(super) type Map<K, V> = rpds::RedBlackTreeMapSync<K, V>;

/// Under each key the values once each, in their order, so that two maps with the same content
/// are equal however they came about. Meant for few values under one key.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct MultiMap<K: Ord, V>(Map<K, Vec<V>>);

impl<K: Ord, V> Default for MultiMap<K, V> {
    fn default() -> Self {
        Self(Map::default())
    }
}

impl<K: Ord + Clone, V: Ord + Clone> MultiMap<K, V> {
    /// The values under a key, in order.
    pub(super) fn get<Q: Ord + ?Sized>(&self, key: &Q) -> &[V]
    where
        K: Borrow<Q>,
    {
        self.0.get(key).map_or(&[], Vec::as_slice)
    }

    /// Every key with its values, in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&K, &[V])> {
        self.0.iter().map(|(key, values)| (key, values.as_slice()))
    }

    /// Puts a value under a key.
    pub(super) fn insert(&mut self, key: &K, value: V) {
        match self.get(key).binary_search(&value) {
            Ok(_) => {}
            Err(place) => match self.0.get_mut(key) {
                Some(values) => values.insert(place, value),
                None => self.0.insert_mut(key.clone(), vec![value]),
            },
        }
    }

    /// Takes the values that `gone` points out from under a key.
    pub(super) fn remove(&mut self, key: &K, gone: impl Fn(&V) -> bool) {
        let Some(values) = self.0.get_mut(key) else { return };
        values.retain(|value| !gone(value));
        if values.is_empty() {
            self.0.remove_mut(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_depends_on_the_values_and_not_on_their_order() {
        let mut one: MultiMap<u8, u8> = MultiMap::default();
        let mut other = MultiMap::default();
        for value in [3, 1, 2, 1] {
            one.insert(&7, value);
        }
        for value in [1, 2, 3] {
            other.insert(&7, value);
        }
        assert_eq!(one.get(&7), [1, 2, 3]);
        assert!(one == other);
        let copy = one.clone();
        one.remove(&7, |value| *value != 2);
        assert_eq!((one.get(&7), copy.get(&7)), (&[2][..], &[1, 2, 3][..]));
        one.remove(&7, |_| true);
        assert!(one == MultiMap::default());
    }
}
