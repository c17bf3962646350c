//! The secrets that hosts hand to their programs in variables, and want back in a header.

use http::HeaderValue;
use zeroize::Zeroizing;

use crate::error::{Condition, Error};
use crate::platform::Environment;

/// The secret in a variable. The platform rotates it: it is read anew for each request.
pub(super) fn secret(environment: &dyn Environment, variable: &str) -> Result<Zeroizing<String>, Error> {
    environment.var(variable).map(Zeroizing::new).ok_or_else(|| {
        Error::failed(format!("{variable} was set when this program started and no longer is"))
            .condition_of(Condition::Refused)
            .next("restart this program with the variables that the platform gave it")
    })
}

/// The secret as the value of a header.
pub(super) fn header(variable: &str, secret: &str) -> Result<HeaderValue, Error> {
    let mut value = HeaderValue::from_str(secret).map_err(|_| {
        Error::failed(format!("{variable} holds characters that no HTTP header can hold"))
            .condition_of(Condition::Refused)
            .next("restart this program with the variables that the platform gave it")
    })?;
    value.set_sensitive(true);
    Ok(value)
}
