//! Bulk answers that are arrays: good items count, bad ones are told, and nothing is lost in
//! silence.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::DecodeError;
use super::json::{self, Collect, Object};
use crate::model::Listed;

/// How many reasons of one answer are kept; a last one says how many there are besides (law 15).
const REASONS_MAX: usize = 16;

/// What an array may have as its items.
pub(super) trait Item<'de>: Sized {
    /// An item as it came.
    type Fields: Deserialize<'de>;

    /// Reads the item.
    fn read(fields: Self::Fields) -> Result<Self, DecodeError>;
}

/// Why items could not be read.
#[derive(Default)]
struct Reasons {
    kept: Vec<String>,
    more: u64,
}

impl Reasons {
    fn add(&mut self, index: u64, error: DecodeError) {
        if self.kept.len() < REASONS_MAX {
            self.kept.push(error.within(&format!("item {index}")).to_string());
        } else {
            self.more += 1;
        }
    }

    fn finish(mut self) -> Vec<String> {
        if self.more > 0 {
            self.kept.push(format!("and {} more", self.more));
        }
        self.kept
    }
}

/// The items as they arrive, each with its place.
struct Items<T> {
    read: Vec<(u64, T)>,
    reasons: Reasons,
    next: u64,
}

impl<T> Default for Items<T> {
    fn default() -> Self {
        Self { read: Vec::new(), reasons: Reasons::default(), next: 0 }
    }
}

impl<'de, T: Item<'de>> Collect<'de> for Items<T> {
    type Item = Object<T::Fields>;

    fn add(&mut self, item: Self::Item) {
        let index = self.next;
        self.next += 1;
        match item.fields("it").and_then(T::read) {
            Ok(item) => self.read.push((index, item)),
            Err(error) => self.reasons.add(index, error),
        }
    }
}

impl<T> Items<T> {
    /// Takes out the items that `is_bad` gives a reason against.
    fn sift(&mut self, is_bad: impl Fn(&T) -> Option<DecodeError>) {
        let Self { read, reasons, .. } = self;
        read.retain(|(index, item)| match is_bad(item) {
            None => true,
            Some(error) => {
                reasons.add(*index, error);
                false
            }
        });
    }

    fn finish(self) -> Listed<T> {
        let items = self.read.into_iter().map(|(_, item)| item).collect();
        Listed { items, unreadable: self.reasons.finish() }
    }
}

impl<I: Ord + Clone, T: PartialEq> Items<(I, T)> {
    /// Keeps one of items that say the same of one id. Where they contradict each other, none is
    /// believed: which of them is right cannot be told, and by their order one answer could say
    /// this and the next one that.
    fn settle(&mut self) {
        let mut first_of: BTreeMap<I, usize> = BTreeMap::new();
        let mut contradicted: BTreeMap<I, ()> = BTreeMap::new();
        let mut repeats = vec![false; self.read.len()];
        for (place, (_, (id, item))) in self.read.iter().enumerate() {
            let Some(first) = first_of.get(id) else {
                first_of.insert(id.clone(), place);
                continue;
            };
            if self.read.get(*first).is_some_and(|(_, (_, other))| other == item) {
                repeats[place] = true;
            } else {
                contradicted.insert(id.clone(), ());
            }
        }
        let mut repeats = repeats.into_iter();
        self.read.retain(|(_, (id, _))| {
            !repeats.next().unwrap_or(false) || contradicted.contains_key(id)
        });
        self.sift(|(id, _)| {
            let reason = "another item has its id and says something else";
            contradicted.contains_key(id).then(|| DecodeError::new(reason))
        });
    }
}

/// Reads an array of any items.
///
/// # Errors
/// Anything but an array: `null`, an object and a part of an array among them (law 3).
pub(super) fn read_list<'de, T: Item<'de>>(
    body: &'de [u8],
    what: &str,
) -> Result<Listed<T>, DecodeError> {
    let items: Items<T> = json::read_array(body, what)?;
    Ok(items.finish())
}

/// Reads an array of items with ids, without those that `is_bad` gives a reason against.
///
/// # Errors
/// Anything but an array.
pub(super) fn read_list_by_id<'de, I, T>(
    body: &'de [u8],
    what: &str,
    is_bad: impl Fn(&(I, T)) -> Option<DecodeError>,
) -> Result<Listed<(I, T)>, DecodeError>
where
    (I, T): Item<'de>,
    I: Ord + Clone,
    T: PartialEq,
{
    let mut items: Items<(I, T)> = json::read_array(body, what)?;
    items.sift(is_bad);
    items.settle();
    Ok(items.finish())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::json::Value;

    #[derive(Deserialize)]
    pub(in crate::wire) struct Fields<'a> {
        #[serde(borrow, default)]
        id: Value<'a>,
        #[serde(borrow, default)]
        says: Value<'a>,
    }

    impl<'de> Item<'de> for (String, u64) {
        type Fields = Fields<'de>;

        fn read(fields: Self::Fields) -> Result<Self, DecodeError> {
            let says = fields.says.number("says")?.unwrap_or_default();
            Ok((fields.id.id("id")?.into_owned(), says))
        }
    }

    #[track_caller]
    fn check(body: &str, items: &[(&str, u64)], unreadable: &[&str]) {
        let thirteen = |(_, says): &(String, u64)| (*says == 13).then(|| DecodeError::new("13"));
        let listed = read_list_by_id::<String, u64>(body.as_bytes(), "list", thirteen).unwrap();
        let found: Vec<_> = listed.items.iter().map(|(id, says)| (id.as_str(), *says)).collect();
        assert_eq!((found.as_slice(), &listed.unreadable[..]), (items, &owned(unreadable)[..]));
        assert_eq!(listed.is_complete(), unreadable.is_empty());
    }

    fn owned(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn good_items_count_in_their_order_and_bad_ones_are_told_by_their_place() {
        check("[]", &[], &[]);
        check(
            r#"[{"id":"b","says":1},7,{"id":"c","says":13},{"says":1},null,{"id":"a"}]"#,
            &[("b", 1), ("a", 0)],
            &[
                "item 1: it is not an object",
                "item 3: id is missing",
                "item 4: it is missing",
                "item 2: 13",
            ],
        );
    }

    #[test]
    fn one_id_counts_once_and_not_at_all_where_its_items_differ() {
        check(
            r#"[{"id":"a"},{"id":"b","says":1},{"id":"a"},{"id":"b","says":2},{"id":"c"},{"id":"b","says":1}]"#,
            &[("a", 0), ("c", 0)],
            &[
                "item 1: another item has its id and says something else",
                "item 3: another item has its id and says something else",
                "item 5: another item has its id and says something else",
            ],
        );
    }

    #[test]
    fn reasons_are_bounded_and_their_number_is_told() {
        let body = format!("[{}{{\"id\":\"a\"}}]", "0,".repeat(40_000));
        let listed = read_list::<(String, u64)>(body.as_bytes(), "list").unwrap();
        assert_eq!(listed.items.len(), 1);
        assert_eq!(listed.unreadable.len(), REASONS_MAX + 1);
        assert_eq!(listed.unreadable[15], "item 15: it is not an object");
        assert_eq!(listed.unreadable[16], "and 39984 more");
    }
}
