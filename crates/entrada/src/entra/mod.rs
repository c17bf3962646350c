//! Microsoft Entra's side of the OAuth 2.0 protocol.

mod authority;
#[allow(dead_code, reason = "the credentials that use the rest come next")]
mod client;
mod error_answer;
#[allow(dead_code, reason = "the credentials that use the rest come next")]
mod grant;
mod identifiers;
mod token_endpoint;

pub(crate) use authority::Authority;
pub(crate) use client::{Client, Proof, is_about_the_assertion};
pub(crate) use grant::{ClientProof, Grant};
pub(crate) use identifiers::{Target, Tenants, check_client_id, check_secret, check_tenant_id};
pub(crate) use token_endpoint::{LIMIT, TokenEndpoint};
