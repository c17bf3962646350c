//! The emulator through its public API and a real HTTP client.

mod app_proof;
mod authorities;
mod azure_arc;
mod blob;
mod browser;
mod certificates;
mod challenges;
mod cloud_shell;
mod control;
mod entra;
mod faults;
mod federation;
mod gateway;
mod hosts;
mod key_vault;
mod kubernetes;
mod managed_identity;
mod old_app_service;
mod on_behalf_of;
mod resource_manager;
mod robot;
mod run;
mod service_fabric;
mod sign_in;
mod support;
mod user_grants;
