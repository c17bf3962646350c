//! The entries of a cache by their keys, found without a lock.
//!
//! A hash table of short lists. A list is never changed, only replaced as a whole, and so is the table when it grows; so
//! readers need no lock, however many there are, and go on while a writer is at work. Writers take turns.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hash};
use std::iter::successors;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use arc_swap::{ArcSwap, ArcSwapOption};

use super::entry::Entry;
use super::key::Key;

/// How many lists an empty index has; a power of two, as it is later.
const FEWEST: usize = 16;

type Lists = Box<[ArcSwapOption<Item>]>;

/// See above. Whoever calls what changes it holds a lock of their own, always the same.
pub(super) struct Index {
    hasher: RandomState,
    lists: ArcSwap<Lists>,
    len: AtomicUsize,
}

#[derive(Clone)]
struct Item {
    hash: u64,
    key: Key,
    entry: Arc<Entry>,
    next: Option<Arc<Item>>,
}

impl Default for Index {
    fn default() -> Self {
        Self { hasher: RandomState::new(), lists: ArcSwap::from_pointee(lists(FEWEST)), len: AtomicUsize::new(0) }
    }
}

impl Index {
    /// Looks at the entry for `key`, which is one, or hashes as one.
    pub(super) fn find<K, R>(&self, key: &K, look: impl FnOnce(&Arc<Entry>) -> R) -> Option<R>
    where
        K: Hash + PartialEq<Key>,
    {
        let hash = self.hasher.hash_one(key);
        let lists = self.lists.load();
        let list = list(&lists, hash).load();
        items(&list).find(|item| item.hash == hash && *key == item.key).map(|item| look(&item.entry))
    }

    /// Looks at every entry.
    pub(super) fn for_each(&self, mut look: impl FnMut(&Key, &Arc<Entry>)) {
        for list in self.lists.load().iter() {
            items(&list.load()).for_each(|item| look(&item.key, &item.entry));
        }
    }

    /// Adds an entry whose key is not there. It changes the index.
    pub(super) fn insert(&self, key: Key, entry: Arc<Entry>) {
        if self.len.fetch_add(1, Ordering::Relaxed) >= self.lists.load().len() {
            self.grow();
        }
        put(&self.lists.load(), Item { hash: self.hasher.hash_one(&key), key, entry, next: None });
    }

    /// Removes the entries that `keeps` does not want. It changes the index.
    pub(super) fn retain(&self, mut keeps: impl FnMut(&Key, &Arc<Entry>) -> bool) {
        for list in self.lists.load().iter() {
            let before = list.load();
            let gone: Vec<_> = items(&before).filter(|item| !keeps(&item.key, &item.entry)).collect();
            if gone.is_empty() {
                continue;
            }
            let stays = |item: &&Arc<Item>| !gone.iter().any(|gone| Arc::ptr_eq(gone, item));
            let kept = items(&before).filter(stays).fold(None, |next, item| {
                // What is left of a list is put together anew.
                Some(Arc::new(Item { next, ..Item::clone(item) }))
            });
            self.len.fetch_sub(gone.len(), Ordering::Relaxed);
            list.store(kept);
        }
    }

    fn grow(&self) {
        let before = self.lists.load();
        let more = lists(before.len() * 2);
        for list in before.iter() {
            items(&list.load()).for_each(|item| put(&more, Item::clone(item)));
        }
        self.lists.store(Arc::new(more));
    }
}

fn lists(count: usize) -> Lists {
    (0..count).map(|_| ArcSwapOption::empty()).collect()
}

fn list(lists: &Lists, hash: u64) -> &ArcSwapOption<Item> {
    // The number of lists is a power of two that fits, so what is cut off does not count.
    #[allow(clippy::cast_possible_truncation)]
    &lists[hash as usize & (lists.len() - 1)]
}

fn put(lists: &Lists, mut item: Item) {
    let list = list(lists, item.hash);
    item.next = list.load_full();
    list.store(Some(Arc::new(item)));
}

fn items(list: &Option<Arc<Item>>) -> impl Iterator<Item = &Arc<Item>> {
    successors(list.as_ref(), |item| item.next.as_ref())
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;

    use super::super::key::{Principal, Sought};
    use super::*;
    use crate::token::TokenRequest;

    fn key(number: usize) -> Key {
        Key::new(Principal::new("test", &[]), &TokenRequest::new([number.to_string()]))
    }

    fn holds(index: &Index, number: usize) -> bool {
        index.find(&key(number), |_| ()).is_some()
    }

    #[test]
    fn what_was_put_in_is_found_until_it_is_removed() {
        let index = Index::default();
        for number in 0..1000 {
            assert!(!holds(&index, number));
            index.insert(key(number), Arc::default());
            assert!(holds(&index, number));
        }
        let mut even = false;
        index.retain(|_, _| {
            even = !even;
            even
        });
        let mut left = 0;
        index.for_each(|_, _| left += 1);
        assert_eq!(left, 500);
        assert_eq!((0..1000).filter(|&number| holds(&index, number)).count(), 500);
        index.retain(|_, _| false);
        assert!(!(0..1000).any(|number| holds(&index, number)));
    }

    #[test]
    fn a_key_is_found_by_its_parts() {
        let (index, principal) = (Index::default(), Principal::new("test", &[]));
        let mut request = TokenRequest::new(["a"]);
        request.tenant_id = Some("t".into());
        index.insert(Key::new(principal, &request), Arc::default());
        let sought = Sought { principal, scope: "a", tenant_id: Some("t"), enable_cae: false };
        let is_found = |sought: Sought<'_>| index.find(&sought, |_| ()).is_some();
        assert!(is_found(sought));
        assert!(!is_found(Sought { principal: Principal::new("other", &[]), ..sought }));
        assert!(!is_found(Sought { scope: "b", ..sought }));
        assert!(!is_found(Sought { tenant_id: None, ..sought }));
        assert!(!is_found(Sought { enable_cae: true, ..sought }));
    }

    #[test]
    fn readers_miss_nothing_while_it_grows() {
        let (index, done) = (Index::default(), AtomicBool::new(false));
        index.insert(key(0), Arc::default());
        std::thread::scope(|scope| {
            let reader = scope.spawn(|| {
                while !done.load(Ordering::Acquire) {
                    assert!(holds(&index, 0));
                }
            });
            for number in 1..2000 {
                index.insert(key(number), Arc::default());
            }
            done.store(true, Ordering::Release);
            reader.join().expect("nothing was missed");
        });
    }
}
