//! Which redirect URIs are an app's own
//! (<https://learn.microsoft.com/entra/identity-platform/reply-url>).

use crate::config::App;
use url::Url;

/// Whether the answer to a sign-in may be sent to an address.
pub(crate) fn matches(app: &App, uri: &str) -> bool {
    app.redirect_uris.iter().any(|known| known == uri || (app.public_client && is_loopback_match(known, uri)))
}

/// A program on a person's machine listens on whichever port is free (RFC 8252, section 7.3).
fn is_loopback_match(known: &str, uri: &str) -> bool {
    let (Ok(known), Ok(uri)) = (Url::parse(known), Url::parse(uri)) else { return false };
    let is_plain = |url: &Url| url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
    known.scheme() == "http"
        && uri.scheme() == "http"
        && matches!(known.host_str(), Some("localhost" | "127.0.0.1"))
        && known.host_str() == uri.host_str()
        && known.path() == uri.path()
        && known.query() == uri.query()
        && is_plain(&uri)
}

/// Scheme and host of an address, as the policy of a page names where it may lead.
pub(super) fn origin(uri: &str) -> Option<String> {
    let url = Url::parse(uri).ok()?;
    let origin = url.origin();
    // A scheme of an app's own has no origin.
    Some(if origin.is_tuple() { origin.ascii_serialization() } else { format!("{}:", url.scheme()) })
}

#[cfg(test)]
mod tests {
    use super::{App, matches, origin};

    fn app(public_client: bool, uris: &[&str]) -> App {
        let redirect_uris = uris.iter().map(|uri| (*uri).to_owned()).collect();
        App { public_client, redirect_uris, ..App::default() }
    }

    #[test]
    fn only_the_port_of_localhost_is_free() {
        let cli = app(true, &["http://localhost", "http://localhost/done", "msal1://auth"]);
        for uri in [
            "http://localhost",
            "http://localhost:8400",
            "http://localhost:8400/",
            "http://localhost:1/done",
            "msal1://auth",
        ] {
            assert!(matches(&cli, uri), "{uri}");
        }
        for uri in [
            "http://localhost:8400/other",
            "http://127.0.0.1:8400",
            "https://localhost:8400",
            "http://localhost.evil.example:8400",
            "http://evil@localhost:8400",
            "http://localhost:8400/#x",
            "http://localhost:8400/?x=1",
            "http://evil.example",
            "msal1://auth/other",
            "",
        ] {
            assert!(!matches(&cli, uri), "{uri}");
        }
        let portal = app(false, &["https://portal.contoso.example/signin", "http://localhost:5000/signin"]);
        assert!(matches(&portal, "https://portal.contoso.example/signin"));
        for uri in [
            "https://portal.contoso.example/signin/",
            "https://portal.contoso.example/SIGNIN",
            "http://localhost:5001/signin",
        ] {
            assert!(!matches(&portal, uri), "{uri}");
        }
    }

    #[test]
    fn a_policy_names_scheme_and_host() {
        assert_eq!(origin("http://localhost:8400/done?x").as_deref(), Some("http://localhost:8400"));
        assert_eq!(origin("msal1://auth").as_deref(), Some("msal1:"));
    }
}
