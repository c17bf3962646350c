//! Microsoft Entra's side of the OAuth 2.0 protocol.

mod authority;
mod error_answer;
mod identifiers;
mod token_endpoint;

pub(crate) use authority::Authority;
pub(crate) use identifiers::{Target, Tenants, check_client_id, check_secret, check_tenant_id};
pub(crate) use token_endpoint::{ClientProof, LIMIT, TokenEndpoint, client_credentials};
