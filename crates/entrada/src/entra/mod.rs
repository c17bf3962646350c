//! Microsoft Entra's side of the OAuth 2.0 protocol.

mod authority;
mod client;
mod device_authorization;
mod discovery;
mod error_answer;
mod error_codes;
mod grant;
mod identifiers;
mod region;
mod token_endpoint;
mod token_proxy;
mod user_realm;

pub(crate) use authority::{Authority, Cloud, Kind as AuthorityKind, is_of_entra, is_placeholder};
pub(crate) use client::{AssertionSource, Client, Exchange, Proof};
pub(crate) use device_authorization::DeviceAuthorization;
pub(crate) use error_answer::refusal_of;
pub(crate) use grant::{Grant, Granted, claims, user_scope};
pub(crate) use identifiers::{Target, Tenants, check_client_id, check_secret, check_tenant_id};
pub(crate) use token_endpoint::{LIMIT, RETRY, TokenEndpoint};
pub(crate) use token_proxy::TokenProxy;
pub(crate) use user_realm::is_federated;
