//! Blob storage.

pub(crate) mod store;
pub(crate) mod upstream;

use crate::call::{Call, Reply};
use crate::state::State;
use crate::tokens::SigningKey;

/// Largest request body, in bytes.
pub(crate) const LARGEST_BODY: usize = 128 * 1024 * 1024;

/// Whether a text can be the name of a container.
pub(crate) fn is_container_name(name: &str) -> bool {
    if matches!(name, "$root" | "$web" | "$logs") {
        return true;
    }
    (3..=63).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        && !name.starts_with('-')
        && !name.ends_with('-')
        && !name.contains("--")
}

pub(crate) async fn answer(_: &State, _: &SigningKey, call: &Call) -> Reply {
    Reply::text(501, format!("The emulator does not answer {} {} of Blob.", call.method, call.path))
}
