//! The authorize endpoints: where a client sends a browser to have a person sign in (RFC 6749, section 3.1).

mod redirect;
mod request;
pub(super) mod respond;

use super::browser::Web;
use super::form::Form;
use super::pages;
use super::{EntraError, interaction};
use crate::call::Reply;
pub(crate) use redirect::matches as redirect_uri_matches;
pub(crate) use request::{AuthorizeRequest, Prompt};

/// Name of the flow in the journal.
pub(super) const FLOW: &str = "authorize";

/// Answers a request to an authorize endpoint.
pub(super) fn answer(web: &Web<'_>, segment: &str, version: u8) -> Reply {
    let reply = match parameters(web).and_then(|form| request::read(web, &form, segment, version)) {
        Ok(Ok(request)) => interaction::begin(web, request),
        // The client is known, and is told.
        Ok(Err((back, error))) => respond::error(web, &back, &error),
        // Nobody may be sent to an address that is not known to be the client's: the person is told.
        Err(error) => pages::error::reply(&error, web.correlation, None),
    };
    interaction::traced(reply, FLOW)
}

fn parameters(web: &Web<'_>) -> Result<Form, EntraError> {
    match web.call.method {
        http::Method::GET => Form::of(web.call.query.clone()),
        http::Method::POST => Form::read(web.call),
        _ => Err(EntraError::method("GET, POST", &web.call.method)),
    }
}
