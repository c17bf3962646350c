//! The hosts that hand an identity to the programs they run, one file each.

mod answer;
mod app_service;
mod app_service_2017;
mod azure_arc;
mod azure_ml;
mod cloud_shell;
mod exchange;
mod host;
mod imds;
mod kubernetes;
mod metadata_service;
mod msi_secret;
mod secret_header;
mod service_fabric;
mod token_url;
mod user_assigned_id;

pub(crate) use answer::whose;
pub(crate) use exchange::Asked;
pub(crate) use host::Host;
pub use user_assigned_id::UserAssignedId;
