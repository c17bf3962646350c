//! Asking an issuer of assertions over HTTP: what all of them have in common.

use std::net::IpAddr;
use std::time::Duration;

use http::HeaderValue;
use url::{Host, Url};
use zeroize::Zeroizing;

use super::pick::pick;
use crate::entra::{Exchange, RETRY};
use crate::error::Error;
use crate::platform::{HttpRequest, HttpResponse, Route};
use crate::retry::Sending;
use crate::token_answer::describe;

/// How long one attempt may take.
pub(super) const TIMEOUT: Duration = Duration::from_secs(30);

/// An issuer, for messages: `whom` follows "the", as in "OIDC issuer of GitHub Actions".
pub(super) struct Issuer<'a> {
    pub(super) whom: &'a str,
    /// What the request shows, and no error may.
    pub(super) secrets: &'a [&'a str],
}

/// What an issuer answered.
pub(super) struct Heard {
    pub(super) response: HttpResponse,
    tried: String,
}

impl Issuer<'_> {
    /// Sends a request, again where that can help.
    pub(super) async fn ask(&self, exchange: &Exchange<'_>, request: HttpRequest) -> Result<Heard, Error> {
        let shown = format!("{} {}", request.method, without_query(&request.url));
        let sending = Sending { platform: exchange.platform, deadline: exchange.deadline, limiter: None };
        let sent = RETRY.send(&sending, request).await;
        let tried = format!("{shown}{}", sent.effort);
        match sent.outcome {
            Ok(response) => Ok(Heard { response, tried }),
            Err(error) => {
                let failed = Error::failed(format!("the {} could not be reached: {error}", self.whom)).tried(tried);
                let next =
                    "check the network from here, and HTTPS_PROXY if this machine reaches the issuer through a proxy";
                Err(failed.next(error.remedy().unwrap_or(next)))
            }
        }
    }

    /// The text at a JSON pointer (RFC 6901), or all of the answer.
    pub(super) fn pick(&self, heard: &Heard, pointer: Option<&str>) -> Result<Zeroizing<String>, Error> {
        pick(&heard.response.body, pointer).map_err(|what| {
            self.refuse(
                heard,
                &format!("answered with {what}"),
                "check the address, and where the assertion stands in an answer",
            )
        })
    }

    /// That an answer is none: what came, without secrets.
    pub(super) fn refuse(&self, heard: &Heard, did: &str, next: &str) -> Error {
        let error = Error::failed(format!("the {} {did}", self.whom))
            .tried(&*heard.tried)
            .answer(describe(&heard.response))
            .next(next);
        self.secrets.iter().fold(error, |error, secret| error.without(secret))
    }
}

/// The address of an issuer: https, or this machine's own loopback, where nobody listens in.
///
/// `origin` says who gives it, for errors.
pub(super) fn address(origin: &str, text: &str) -> Result<Url, Error> {
    let refuse = |why: &str| {
        Err(Error::invalid_argument(format!("{origin} {why}"))
            .next("give an https URL; plain http is for loopback alone, for what is sent there opens doors"))
    };
    let Ok(url) = Url::parse(text.trim()) else {
        return refuse("is not a URL");
    };
    if !url.username().is_empty() || url.password().is_some() {
        return refuse("must not contain a user name or password");
    }
    if url.fragment().is_some() {
        return refuse("must not contain #");
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_loopback(&url) => Ok(url),
        _ => refuse("is neither an https URL nor one of this machine's loopback"),
    }
}

/// How to get there: never through a proxy to this machine itself.
pub(super) fn route(url: &Url) -> Route {
    if is_loopback(url) { Route::Direct } else { Route::Proxied }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(Host::Ipv4(address)) => IpAddr::V4(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::V6(address).is_loopback(),
        None => false,
    }
}

/// A bearer token as a header; `name` says whose it is.
pub(super) fn bearer(name: &str, token: &str) -> Result<HeaderValue, Error> {
    let mut value = HeaderValue::from_str(&Zeroizing::new(format!("Bearer {token}"))).map_err(|_| {
        Error::failed(format!("{name} holds characters that no HTTP header can hold"))
            .next("pass it as it was given, without line ends")
    })?;
    value.set_sensitive(true);
    Ok(value)
}

/// A URL as it may be shown: queries have held keys.
fn without_query(url: &Url) -> String {
    let mut shown = url.clone();
    let had = shown.query().is_some();
    shown.set_query(None);
    if had { format!("{shown}?…") } else { shown.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_https_and_loopback_are_addresses() {
        for good in [
            "https://issuer.example/token?x=1",
            "http://127.0.0.1:8080/token",
            "http://localhost/token",
            "http://[::1]:1/",
            "http://127.9.9.9/",
        ] {
            assert!(address("the URL", good).is_ok(), "{good}");
        }
        for (bad, words) in [
            ("", "is not a URL"),
            ("token", "is not a URL"),
            ("http://issuer.example/", "neither an https URL"),
            ("http://169.254.169.254/", "neither an https URL"),
            ("http://localhost.example/", "neither an https URL"),
            ("file:///etc/passwd", "neither an https URL"),
            ("https://user:hunter2@issuer.example/", "user name or password"),
            ("https://issuer.example/#x", "must not contain #"),
        ] {
            let error = address("the URL", bad).expect_err(bad);
            assert!(error.is_invalid_argument());
            assert!(error.to_string().contains(words) && !error.to_string().contains("hunter2"), "{error}");
        }
        assert_eq!(route(&address("u", "http://localhost/").expect("good")), Route::Direct);
        assert_eq!(route(&address("u", "https://issuer.example").expect("good")), Route::Proxied);
    }

    #[test]
    fn queries_are_not_shown() {
        let shown = |text: &str| without_query(&text.parse().expect("a URL"));
        assert_eq!(shown("https://h/p?key=hunter2"), "https://h/p?…");
        assert_eq!(shown("https://h/p"), "https://h/p");
    }
}
