//! The containers and blobs of the storage accounts, in memory.

use crate::clock;
use crate::config::StorageAccount;
use bytes::Bytes;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Most bytes one account holds, staged blocks included.
pub(super) const LARGEST_ACCOUNT: usize = 1024 * 1024 * 1024;

/// Name and value pairs a user attaches; names in lower case.
pub(super) type Metadata = BTreeMap<String, String>;

/// What a blob or a container is told apart by.
#[derive(Clone, Debug)]
pub(super) struct Stamp {
    /// Quoted, as in the `ETag` header.
    pub(super) etag: String,
    /// Seconds since 1970, UTC.
    pub(super) modified: i64,
}

impl Stamp {
    pub(super) fn now() -> Self {
        static LAST: AtomicU64 = AtomicU64::new(0);
        let number = LAST.fetch_add(1, Ordering::Relaxed);
        let millis = clock::now_millis() & 0xFFF_FFFF_FFFF;
        Self { etag: format!("\"0x8DE{:012X}\"", (millis << 4).wrapping_add(number)), modified: clock::now() }
    }
}

/// A block blob that has been committed.
#[derive(Clone, Debug)]
pub(super) struct Blob {
    pub(super) stamp: Stamp,
    /// Seconds since 1970, UTC.
    pub(super) created: i64,
    /// Its blocks in order, with their ids; a blob put whole is one block without an id.
    pub(super) blocks: Vec<(String, Bytes)>,
    /// Content headers, by the name they have in an answer.
    pub(super) headers: BTreeMap<&'static str, String>,
    pub(super) metadata: Metadata,
}

impl Blob {
    pub(super) fn len(&self) -> usize {
        self.blocks.iter().map(|(_, data)| data.len()).sum()
    }

    /// The bytes from `start` up to, and without, `end`.
    pub(super) fn read(&self, start: usize, end: usize) -> Bytes {
        if let [(_, only)] = self.blocks.as_slice() {
            return only.slice(start.min(only.len())..end.min(only.len()));
        }
        let mut data = Vec::with_capacity(end.saturating_sub(start));
        let mut at = 0;
        for (_, block) in &self.blocks {
            let from = start.saturating_sub(at).min(block.len());
            let to = end.saturating_sub(at).min(block.len());
            if from < to {
                data.extend_from_slice(&block[from..to]);
            }
            at += block.len();
        }
        data.into()
    }
}

/// A container.
#[derive(Clone, Debug)]
pub(super) struct Container {
    pub(super) stamp: Stamp,
    pub(super) metadata: Metadata,
    pub(super) blobs: BTreeMap<String, Blob>,
    /// Blocks that are put and not committed, by blob and by id.
    pub(super) staged: BTreeMap<String, BTreeMap<String, Bytes>>,
}

impl Container {
    pub(super) fn new(metadata: Metadata) -> Self {
        Self { stamp: Stamp::now(), metadata, blobs: BTreeMap::new(), staged: BTreeMap::new() }
    }

    /// Bytes held, staged blocks included.
    pub(super) fn size(&self) -> usize {
        let committed: usize = self.blobs.values().map(Blob::len).sum();
        let staged: usize = self.staged.values().flat_map(BTreeMap::values).map(Bytes::len).sum();
        committed + staged
    }
}

/// The containers of one account, by name.
pub(super) type Account = BTreeMap<String, Container>;

/// The accounts of a run.
pub(crate) struct Blobs(Mutex<Accounts>);

/// The accounts by name in lower case, while they are held.
pub(super) struct Accounts(BTreeMap<String, Account>);

impl Accounts {
    pub(super) fn of(&mut self, account: &str) -> Option<&mut Account> {
        self.0.get_mut(&account.to_ascii_lowercase())
    }
}

impl Blobs {
    pub(crate) fn new(accounts: &[StorageAccount]) -> Self {
        let fill = |account: &StorageAccount| {
            let containers = account.containers.iter().map(|name| (name.clone(), Container::new(Metadata::new())));
            (account.name.to_ascii_lowercase(), containers.collect())
        };
        Self(Mutex::new(Accounts(accounts.iter().map(fill).collect())))
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Accounts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::{Blob, Stamp};
    use std::collections::BTreeMap;

    #[test]
    fn a_range_is_read_across_blocks() {
        let blocks = ["abc", "", "defg"].map(|text| (text.to_owned(), text.into())).to_vec();
        let blob =
            Blob { stamp: Stamp::now(), created: 0, blocks, headers: BTreeMap::new(), metadata: BTreeMap::new() };
        assert_eq!(blob.len(), 7);
        assert_eq!(blob.read(0, 7), "abcdefg");
        assert_eq!(blob.read(2, 5), "cde");
        assert_eq!(blob.read(3, 4), "d");
    }

    #[test]
    fn every_stamp_is_new() {
        assert_ne!(Stamp::now().etag, Stamp::now().etag);
    }
}
