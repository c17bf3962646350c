//! The containers and blobs of the storage accounts.

use crate::config::StorageAccount;

/// The accounts of a run.
pub(crate) struct Blobs;

impl Blobs {
    pub(crate) fn new(_: &[StorageAccount]) -> Self {
        Self
    }
}
