//! A user's name and password (RFC 6749, section 4.3).

use crate::call::Reply;
use crate::entra::EntraError;
use crate::entra::token::TokenRequest;

/// Answers a request with this grant.
pub(in crate::entra) fn answer(_: &TokenRequest<'_>) -> Result<Reply, EntraError> {
    Err(EntraError::not_emulated("The emulator does not answer the grant 'password'."))
}
