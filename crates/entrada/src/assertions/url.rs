//! Assertions that a server gives to whom it knows.

use std::fmt;

use async_trait::async_trait;
use http::{HeaderMap, HeaderName, HeaderValue};
use url::Url;
use zeroize::Zeroizing;

use super::client_assertion::{AssertionError, AssertionRequest, ClientAssertion};
use super::issuer::{self, Issuer};
use super::pick::check_pointer;
use crate::cache::Principal;
use crate::error::Error;
use crate::platform::{HttpRequest, Route};

/// The assertion that a server answers a `GET` with. It is asked for each exchange anew, and again where it is busy or
/// cannot be reached.
///
/// The server is asked over https; over plain http only on this machine's loopback, and there never through a proxy.
/// Redirects are not followed. At most a mebibyte is read of the answer, of which the assertion may have 64 KiB.
///
/// ```
/// use entrada::{ClientAssertionCredential, UrlAssertion, UrlAssertionOptions};
///
/// let options = UrlAssertionOptions {
///     headers: vec![("X-Vault-Token".into(), "s.abc".to_owned().into())],
///     json_pointer: Some("/data/token".into()),
///     ..UrlAssertionOptions::default()
/// };
/// let assertion = UrlAssertion::new("https://vault.contoso.com/v1/identity/oidc/token/entra", Some(options))?;
/// let credential = ClientAssertionCredential::new(
///     "contoso.onmicrosoft.com",
///     "11111111-1111-4111-8111-111111111111".into(),
///     assertion,
///     None,
/// )?;
/// # let _ = credential;
/// # Ok::<(), entrada::Error>(())
/// ```
pub struct UrlAssertion {
    url: Url,
    headers: HeaderMap,
    secrets: Vec<Zeroizing<String>>,
    json_pointer: Option<String>,
    route: Route,
    identity: String,
}

/// Options for [`UrlAssertion`].
#[derive(Clone, Debug, Default)]
pub struct UrlAssertionOptions {
    /// Headers to send, by name. Their values are taken for secrets.
    pub headers: Vec<(String, azure_core::credentials::Secret)>,
    /// Where the assertion stands in an answer of JSON, as a JSON pointer (RFC 6901) such as `/token`. By default the
    /// whole answer is the assertion.
    pub json_pointer: Option<String>,
    /// Whether a proxy is asked that `HTTPS_PROXY` names. By default it is, except for this machine's loopback.
    pub route: Option<Route>,
}

impl UrlAssertion {
    /// The assertion at `url`.
    ///
    /// # Errors
    /// Where the URL, a header or the pointer cannot be right, or the URL is not safe.
    pub fn new(url: &str, options: Option<UrlAssertionOptions>) -> Result<Self, Error> {
        let options = options.unwrap_or_default();
        let url = issuer::address("the URL of the client assertion", url)?;
        let (mut headers, mut secrets) = (HeaderMap::new(), Vec::new());
        for (name, value) in &options.headers {
            let refuse = |what: &str| {
                Error::invalid_argument(format!("{name:?} {what}")).next("see RFC 9110, section 5, for what may be one")
            };
            let header =
                HeaderName::try_from(name.as_str()).map_err(|_| refuse("is not the name of an HTTP header"))?;
            let mut shown = HeaderValue::from_str(value.secret())
                .map_err(|_| refuse("has a value with characters that no HTTP header can hold"))?;
            shown.set_sensitive(true);
            headers.append(header, shown);
            secrets.push(Zeroizing::new(value.secret().to_owned()));
        }
        check_pointer(options.json_pointer.as_deref())?;
        let mut parts = vec![Some(url.as_str()), options.json_pointer.as_deref()];
        for ((name, _), value) in options.headers.iter().zip(&secrets) {
            parts.extend([Some(name.as_str()), Some(value.as_str())]);
        }
        let identity = format!("URL {}", Principal::new("URL", &parts));
        let route =
            if issuer::route(&url) == Route::Direct { Route::Direct } else { options.route.unwrap_or(Route::Proxied) };
        Ok(Self { url, headers, secrets, json_pointer: options.json_pointer, route, identity })
    }
}

#[async_trait]
impl ClientAssertion for UrlAssertion {
    async fn secret(&self, request: &AssertionRequest<'_>) -> Result<Zeroizing<String>, AssertionError> {
        let mut asking = HttpRequest::get(self.url.clone(), self.route, issuer::TIMEOUT);
        asking.headers = self.headers.clone();
        let secrets: Vec<&str> = self.secrets.iter().map(|secret| secret.as_str()).collect();
        let issuer = Issuer { whom: "server of the client assertion", secrets: &secrets };
        let heard = issuer.ask(request.exchange(), asking).await?;
        if heard.response.status != 200 {
            let next = "check the URL and the headers that are sent; redirects are not followed";
            return Err(issuer.refuse(&heard, "did not give one", next).into());
        }
        Ok(issuer.pick(&heard, self.json_pointer.as_deref())?)
    }

    fn identity(&self) -> Option<String> {
        Some(self.identity.clone())
    }
}

impl fmt::Debug for UrlAssertion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UrlAssertion").field("host", &self.url.host_str()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assertions::testing::secret_on;
    use crate::platform::HttpError;
    use crate::platform::scripted::{Scripted, response};

    const URL: &str = "https://issuer.example/token?key=hunter3";

    fn options(json_pointer: Option<&str>) -> Option<UrlAssertionOptions> {
        Some(UrlAssertionOptions {
            headers: vec![("x-key".into(), "hunter2".to_owned().into())],
            json_pointer: json_pointer.map(str::to_owned),
            route: None,
        })
    }

    #[tokio::test]
    async fn the_whole_answer_or_a_part_of_it_is_the_assertion() {
        for (pointer, body) in
            [(None, " e30.e30.u\n"), (Some("/data/token"), r#"{"data":{"token":"e30.e30.u"},"more":1}"#)]
        {
            let machine = Scripted::new(&[]).answers([Ok(response(503, "busy")), Ok(response(200, body))]);
            let source = UrlAssertion::new(URL, options(pointer)).expect("valid");
            assert_eq!(secret_on(&machine, &source).await.expect("an assertion").as_str(), "e30.e30.u");
            let sent = machine.http.sent();
            assert_eq!(sent.len(), 2, "a busy server is asked again");
            assert_eq!(sent[1].line, format!("GET {URL}"));
            assert_eq!(sent[1].route, Route::Proxied);
            assert_eq!(sent[1].headers["x-key"], "hunter2");
            assert!(sent[1].headers["x-key"].is_sensitive());
        }
    }

    #[tokio::test]
    async fn what_is_no_assertion_is_told_without_what_was_shown() {
        for (answer, pointer, words) in [
            (Ok(response(302, "")), None, "did not give one"),
            (Ok(response(403, "no key=hunter2 here")), None, "HTTP 403"),
            (Ok(response(200, "<html>")), Some("/token"), "other than JSON"),
            (Ok(response(200, r#"{"a":1}"#)), Some("/token"), "nothing at /token"),
            (Ok(response(200, r#"{"token":1}"#)), Some("/token"), "other than text at /token"),
            (Err(HttpError::TooLarge), None, "larger than 1024 KiB"),
            (Err(HttpError::Proxy("407".into())), None, "check HTTPS_PROXY"),
        ] {
            let machine = Scripted::new(&[]).answers([answer]);
            let source = UrlAssertion::new(URL, options(pointer)).expect("valid");
            let error = secret_on(&machine, &source).await.expect_err(words).to_string();
            assert!(error.contains(words) && error.contains("GET https://issuer.example/token?…"), "{error}");
            assert!(!error.contains("hunter"), "{error}");
        }
    }

    #[test]
    fn what_cannot_be_asked_is_refused_at_construction() {
        for (url, name, pointer, words) in [
            ("http://issuer.example", "x", None, "neither an https URL"),
            (URL, "x y", None, "not the name of an HTTP header"),
            (URL, "x", Some("token"), "not a JSON pointer"),
        ] {
            let options = UrlAssertionOptions {
                headers: vec![(name.into(), "hunter2".to_owned().into())],
                json_pointer: pointer.map(str::to_owned),
                route: None,
            };
            let error = UrlAssertion::new(url, Some(options)).expect_err(words);
            assert!(error.is_invalid_argument() && error.to_string().contains(words), "{error}");
        }
        let headers = vec![("x".to_owned(), "hunter2\n".to_owned().into())];
        let options = UrlAssertionOptions { headers, ..Default::default() };
        let error = UrlAssertion::new(URL, Some(options)).expect_err("a line end").to_string();
        assert!(error.contains("no HTTP header can hold") && !error.contains("hunter2"), "{error}");
    }

    #[tokio::test]
    async fn this_machine_is_never_asked_through_a_proxy() {
        let machine = Scripted::new(&[]).answers([Ok(response(200, "e30.e30.u"))]);
        let options = UrlAssertionOptions { route: Some(Route::Proxied), ..Default::default() };
        let source = UrlAssertion::new("http://127.0.0.1:9/", Some(options)).expect("valid");
        secret_on(&machine, &source).await.expect("an assertion");
        assert_eq!(machine.http.sent()[0].route, Route::Direct);
    }

    #[test]
    fn only_those_who_ask_alike_share() {
        let of = |pointer| UrlAssertion::new(URL, options(pointer)).expect("valid").identity();
        assert_eq!(of(None), of(None));
        assert_ne!(of(None), of(Some("/a")));
        assert_ne!(of(None), UrlAssertion::new(URL, None).expect("valid").identity());
        assert!(!of(None).expect("some").contains("hunter"));
    }
}
