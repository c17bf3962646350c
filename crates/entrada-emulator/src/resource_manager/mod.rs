//! Azure Resource Manager.

pub(crate) mod groups;

use crate::call::{Call, Reply};
use crate::cloud::Names;
use crate::state::State;
use crate::tokens::SigningKey;

pub(crate) fn answer(_: &State, _: &SigningKey, _: &Names, call: &Call) -> Reply {
    Reply::text(501, format!("The emulator does not answer {} {} of Resource Manager.", call.method, call.path))
}
