//! Device codes (RFC 8628).

use crate::call::Reply;
use crate::entra::EntraError;
use crate::entra::token::TokenRequest;

/// Answers a request with this grant.
pub(in crate::entra) fn answer(_: &TokenRequest<'_>) -> Result<Reply, EntraError> {
    Err(EntraError::not_emulated("The emulator does not answer the grant 'device_code'."))
}
