//! A browser with no person in front of it: it goes to the page that a program opens, and takes the answer back to the
//! program.
//!
//! It does nothing that a person would have to decide. Where the emulator shows a page, because nobody was named who
//! signs in ([`Emulator::sign_in_as`](crate::Emulator::sign_in_as)), it stops and says so.

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};
use reqwest::header::LOCATION;
use reqwest::{Client, NoProxy, Proxy, redirect};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// How many times it is sent on.
const HOPS: usize = 10;

/// How long one request may take. The program that is given the answer may take its time for a page of its own.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Largest page that is read, in bytes.
const LARGEST: usize = 1024 * 1024;

/// By what the emulator knows that nobody reads its pages.
pub(crate) const USER_AGENT: &str = "entrada-browse";

/// Why a page did not lead back to the program.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BrowseError {
    /// The address is not one.
    #[error("`{0}` is not an address of http or https")]
    Address(String),
    /// The certificate of the run's authority is not one.
    #[error("the certificate of the emulator's authority cannot be used: {0}")]
    Authority(String),
    /// A request failed.
    #[error("{host} could not be reached: {source}")]
    Request {
        /// Host that was asked.
        host: String,
        /// What went wrong.
        source: reqwest::Error,
    },
    /// The emulator wants a person, or refused.
    #[error(
        "the emulator shows a page (status {0}) that a person has to read; say who signs in with `--sign-in-as USER`"
    )]
    Page(u16),
    /// It goes round in circles.
    #[error("the address led on more than {HOPS} times")]
    Hops,
}

/// Goes to `address` through the gateway of a run, trusting the run's authority (PEM), until a program on this machine has
/// the answer. Programs on `localhost` and `127.0.0.1` are reached without the gateway.
///
/// # Errors
/// When the emulator shows a page that a person would have to read, or something cannot be reached.
pub async fn browse(address: &str, gateway: &str, authority: &str) -> Result<(), BrowseError> {
    let client = client(gateway, authority)?;
    let mut url = parse(address)?;
    let mut fields: Option<Vec<(String, String)>> = None;
    for _ in 0..HOPS {
        let failed = |source| BrowseError::Request { host: url.host_str().unwrap_or_default().to_owned(), source };
        let request = match fields.take() {
            Some(fields) => {
                let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
                client.post(url.clone()).header("content-type", "application/x-www-form-urlencoded").body(body)
            }
            None => client.get(url.clone()),
        };
        let is_back = is_loopback(&url);
        let mut response = request.send().await.map_err(failed)?;
        if response.status().is_redirection()
            && let Some(next) = response.headers().get(LOCATION).and_then(|next| next.to_str().ok())
        {
            url = url.join(next).map_err(|_| BrowseError::Address(next.to_owned()))?;
            continue;
        }
        if is_back {
            return Ok(());
        }
        let status = response.status().as_u16();
        let mut page = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            page.extend_from_slice(&chunk);
            if page.len() > LARGEST {
                break;
            }
        }
        let (action, answer) = answer_form(&page).ok_or(BrowseError::Page(status))?;
        url = url.join(&action).map_err(|_| BrowseError::Address(action.clone()))?;
        fields = Some(answer);
    }
    Err(BrowseError::Hops)
}

fn parse(address: &str) -> Result<Url, BrowseError> {
    let url = Url::parse(address).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    url.ok_or_else(|| BrowseError::Address(address.chars().take(200).collect()))
}

fn is_loopback(url: &Url) -> bool {
    matches!(url.host_str(), Some("localhost" | "127.0.0.1"))
}

fn client(gateway: &str, authority: &str) -> Result<Client, BrowseError> {
    let wrong = |error: &dyn std::fmt::Display| BrowseError::Authority(error.to_string());
    let mut roots = RootCertStore::empty();
    let certificate = CertificateDer::from_pem_slice(authority.as_bytes()).map_err(|error| wrong(&error))?;
    roots.add(certificate).map_err(|error| wrong(&error))?;
    let tls = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| wrong(&error))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let proxy = Proxy::all(gateway).map_err(|_| BrowseError::Address(gateway.to_owned()))?;
    Client::builder()
        .tls_backend_preconfigured(tls)
        .proxy(proxy.no_proxy(NoProxy::from_string("localhost,127.0.0.1")))
        .redirect(redirect::Policy::none())
        .user_agent(USER_AGENT)
        .timeout(TIMEOUT)
        .build()
        .map_err(|error| wrong(&error))
}

/// Where the form of the page that posts itself leads, and what is in it; none when the page is another.
fn answer_form(page: &[u8]) -> Option<(String, Vec<(String, String)>)> {
    let mut reader = Reader::from_reader(page);
    // A page of HTML does not close what XML would.
    reader.config_mut().check_end_names = false;
    let mut action = None;
    let mut fields = Vec::new();
    let mut buffer = Vec::new();
    loop {
        match reader.read_event_into(&mut buffer) {
            Ok(Event::Start(element) | Event::Empty(element)) => match element.name().as_ref() {
                b"form" if attribute(&element, "id").as_deref() == Some("answer") => {
                    action = attribute(&element, "action");
                }
                b"input" if action.is_some() => {
                    fields.push((attribute(&element, "name")?, attribute(&element, "value")?));
                }
                _ => {}
            },
            Ok(Event::End(element)) if element.name().as_ref() == b"form" && action.is_some() => {
                return action.map(|action| (action, fields));
            }
            Ok(Event::Eof) | Err(_) => return None,
            Ok(_) => {}
        }
        buffer.clear();
    }
}

fn attribute(element: &BytesStart<'_>, name: &str) -> Option<String> {
    let found = element.html_attributes().flatten().find(|found| found.key.as_ref() == name.as_bytes())?;
    let text = found.normalized_value(XmlVersion::Implicit1_0).ok()?;
    Some(text.into_owned())
}

#[cfg(test)]
mod tests {
    use super::answer_form;

    #[test]
    fn only_the_form_that_posts_itself_is_taken() {
        let page = br#"<!DOCTYPE html><html><head><meta charset="utf-8"><style>a > b {}</style></head><body><form id="answer" method="post"
            action="http://localhost:1/?a=1&amp;b=2"><input type="hidden" name="code" value="1.a&quot;b"><input name="state" value=""></form></body></html>"#;
        let (action, fields) = answer_form(page).expect("the form");
        assert_eq!(action, "http://localhost:1/?a=1&b=2");
        let expected = [("code", "1.a\"b"), ("state", "")].map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(fields, expected);
        assert_eq!(answer_form(b"<form id=\"other\" action=\"/login\"><input name=\"a\" value=\"b\"></form>"), None);
        assert_eq!(answer_form(b"no page < at all"), None);
        assert_eq!(answer_form(b"<form id=\"answer\" action=\"/x\">"), None, "cut off");
    }
}
