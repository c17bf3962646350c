//! Apps that somebody else vouches for, against the emulated Azure and its issuers: GitHub Actions, Azure Pipelines,
//! Kubernetes, a managed identity, and assertions of every source.

#[path = "federation/machine.rs"]
mod machine;
#[path = "federation/runners.rs"]
mod runners;
#[path = "federation/sources.rs"]
mod sources;
#[path = "federation/workload.rs"]
mod workload;
