//! The answer to an authorize request, on its way back to the client.

use super::redirect;
use super::request::{Back, Mode};
use crate::call::Reply;
use crate::clock;
use crate::entra::EntraError;
use crate::entra::browser::Web;
use crate::entra::pages;
use url::Url;

/// Sends the browser back with an answer.
pub(in crate::entra) fn with(back: &Back, mut fields: Vec<(&'static str, String)>) -> Reply {
    if let Some(state) = &back.state {
        fields.push(("state", state.clone()));
    }
    if back.mode == Mode::FormPost {
        let target = redirect::origin(&back.redirect_uri).unwrap_or_default();
        return pages::form_post::reply(&back.redirect_uri, &target, &fields);
    }
    // It has been compared with a URI of the configuration, which has been parsed.
    let Ok(mut url) = Url::parse(&back.redirect_uri) else { return Reply::new(500).note("no redirect URI") };
    if back.mode == Mode::Query {
        url.query_pairs_mut().extend_pairs(&fields);
    } else {
        let encoded = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&fields).finish();
        url.set_fragment(Some(&encoded));
    }
    Reply::new(302).header("location", url.as_str())
}

/// Sends the browser back with a refusal (RFC 6749, section 4.1.2.1).
pub(in crate::entra) fn error(web: &Web<'_>, back: &Back, error: &EntraError) -> Reply {
    let description =
        error.description(&uuid::Uuid::new_v4().to_string(), web.correlation, &clock::entra_time(clock::now()));
    let mut fields = vec![("error", name(error).to_owned()), ("error_description", description)];
    if error.code == 65_004 {
        fields.push(("error_subcode", "cancel".to_owned()));
    }
    fields.push(("error_uri", format!("https://{}/error?code={}", web.names.authority, error.code)));
    with(back, fields).note(error.short())
}

/// The name of a refusal here, where there is no grant to be invalid.
fn name(error: &EntraError) -> &'static str {
    match (error.code, error.error) {
        (50_058, _) => "login_required",
        (16_000 | 50_076 | 50_079 | 65_001 | 90_094, _) => "interaction_required",
        (_, "invalid_grant") => "access_denied",
        (_, name) => name,
    }
}
