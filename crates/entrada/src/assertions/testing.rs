//! Asking a source for an assertion in a test.

use zeroize::Zeroizing;

use super::client_assertion::{AssertionRequest, ClientAssertion};
use crate::deadline::Deadline;
use crate::entra::{Authority, Exchange, LIMIT};
use crate::error::Error;
use crate::platform::scripted::Scripted;

/// What a source gives on a machine, to a client at the authority that the machine's variables name.
pub(crate) async fn secret_on(machine: &Scripted, source: &dyn ClientAssertion) -> Result<Zeroizing<String>, Error> {
    let platform = &machine.platform;
    let authority = Authority::new(None, platform.environment())?;
    let endpoint = authority.token_endpoint("tenant");
    let exchange = Exchange {
        platform,
        deadline: Deadline::after(platform.clock(), LIMIT),
        client_id: "client",
        audience: endpoint.as_str(),
        authority: &authority,
    };
    let outcome = source.secret(&AssertionRequest(exchange)).await;
    outcome.map_err(|error| *error.downcast::<Error>().expect("our own error"))
}
