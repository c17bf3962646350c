//! The hosts that hand an identity to the programs they run.

mod answer;
mod app_service;
mod host;
mod imds;
mod token_url;
mod user_assigned_id;

pub(crate) use host::Host;
pub use user_assigned_id::UserAssignedId;
