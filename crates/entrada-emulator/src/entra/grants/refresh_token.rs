//! Refresh tokens (RFC 6749, section 6).

use crate::call::Reply;
use crate::entra::EntraError;
use crate::entra::token::TokenRequest;

/// Answers a request with this grant.
pub(in crate::entra) fn answer(_: &TokenRequest<'_>) -> Result<Reply, EntraError> {
    Err(EntraError::not_emulated("The emulator does not answer the grant 'refresh_token'."))
}
