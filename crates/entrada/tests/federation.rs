//! Apps that somebody else vouches for, against the emulated Azure and its issuers: GitHub Actions, Azure Pipelines,
//! Kubernetes, a managed identity, and assertions of every source. And apps that users vouch for: on behalf of.

#[path = "federation/machine.rs"]
mod machine;
#[path = "federation/on_behalf_of.rs"]
mod on_behalf_of;
#[path = "federation/runners.rs"]
mod runners;
#[path = "federation/sources.rs"]
mod sources;
#[path = "federation/workload.rs"]
mod workload;
