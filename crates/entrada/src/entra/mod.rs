//! Microsoft Entra's side of the OAuth 2.0 protocol.

mod authority;
mod error_answer;
mod identifiers;
mod token_endpoint;

pub(crate) use authority::Authority;
pub(crate) use identifiers::{Target, Tenants, check_client_id, check_secret};
pub(crate) use token_endpoint::{TokenEndpoint, client_credentials};
