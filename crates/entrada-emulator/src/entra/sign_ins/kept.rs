//! A bounded table: the oldest entry goes when there are too many.

use super::lock;
use std::collections::{HashMap, VecDeque};
use std::sync::Mutex;

/// A table of so many entries at most.
pub(super) struct Kept<T> {
    table: Mutex<Table<T>>,
    capacity: usize,
}

struct Table<T> {
    entries: HashMap<String, T>,
    /// Keys, the oldest first; keys of entries that have gone are among them.
    order: VecDeque<String>,
}

impl<T> Kept<T> {
    pub(super) fn new(capacity: usize) -> Self {
        Self { table: Mutex::new(Table { entries: HashMap::new(), order: VecDeque::new() }), capacity }
    }

    pub(super) fn insert(&self, key: String, value: T) {
        let mut table = lock(&self.table);
        while table.order.len() >= self.capacity {
            let Some(oldest) = table.order.pop_front() else { break };
            table.entries.remove(&oldest);
        }
        table.order.push_back(key.clone());
        table.entries.insert(key, value);
    }

    /// Looks at an entry, and may change it.
    pub(super) fn with<R>(&self, key: &str, look: impl FnOnce(&mut T) -> R) -> Option<R> {
        lock(&self.table).entries.get_mut(key).map(look)
    }

    /// The first answer that is one, the newest entry first.
    pub(super) fn find<R>(&self, mut look: impl FnMut(&str, &mut T) -> Option<R>) -> Option<R> {
        let mut table = lock(&self.table);
        let Table { entries, order } = &mut *table;
        order.iter().rev().find_map(|key| entries.get_mut(key).and_then(|entry| look(key, entry)))
    }

    pub(super) fn remove(&self, key: &str) -> Option<T> {
        let mut table = lock(&self.table);
        let removed = table.entries.remove(key);
        if removed.is_some() {
            table.order.retain(|other| other != key);
        }
        removed
    }

    pub(super) fn contains(&self, key: &str) -> bool {
        lock(&self.table).entries.contains_key(key)
    }
}

#[cfg(test)]
mod tests {
    use super::Kept;

    #[test]
    fn the_oldest_makes_room() {
        let kept = Kept::new(2);
        for number in 1..=3 {
            kept.insert(number.to_string(), number);
        }
        assert_eq!((kept.contains("1"), kept.contains("2"), kept.contains("3")), (false, true, true));
        assert_eq!(kept.find(|_, number| Some(*number)), Some(3), "the newest first");
        assert_eq!(kept.remove("3"), Some(3));
        kept.insert("4".into(), 4);
        assert!(kept.contains("2") && kept.contains("4"));
    }
}
