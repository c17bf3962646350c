//! Microsoft Entra's side of the OAuth 2.0 protocol.

#[allow(dead_code, reason = "the credentials of users come next")]
mod authority;
#[allow(dead_code, reason = "the credentials that use the rest come next")]
mod client;
mod discovery;
mod error_answer;
mod error_codes;
#[allow(dead_code, reason = "the credentials that use the rest come next")]
mod grant;
mod identifiers;
mod region;
mod token_endpoint;
mod token_proxy;

pub(crate) use authority::{Authority, Cloud};
pub(crate) use client::{AssertionSource, Client, Exchange, Proof};
#[allow(unused_imports, reason = "users' credentials come next")]
pub(crate) use error_answer::refusal_of;
pub(crate) use grant::Grant;
pub(crate) use identifiers::{Target, Tenants, check_client_id, check_secret, check_tenant_id};
pub(crate) use token_endpoint::{LIMIT, RETRY, TokenEndpoint};
pub(crate) use token_proxy::TokenProxy;
