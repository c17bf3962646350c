//! The emulator through its public API and a real HTTP client.

mod blob;
mod control;
mod entra;
mod faults;
mod gateway;
mod key_vault;
mod managed_identity;
mod resource_manager;
mod run;
mod support;
