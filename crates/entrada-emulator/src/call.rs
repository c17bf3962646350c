//! A request as the services see it, and the answer they give.

use crate::faults::TokenShape;
use crate::journal::Principal;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use serde_json::Value;

/// A request, fully read.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) method: Method,
    /// Host name, lower case, without a port.
    pub(crate) host: String,
    /// Path as sent, still percent-encoded.
    pub(crate) path: String,
    /// Query as sent.
    pub(crate) raw_query: String,
    /// Query, decoded, in order, with repetitions.
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// A change to token answers that a fault rule asks for.
    pub(crate) token_shape: Option<TokenShape>,
    /// The path that a fault rule wants Azure Arc's challenge to name.
    pub(crate) challenge: Option<String>,
    /// What stands in the place of the authority's host in addresses, at an authority of one's own: host, port, path.
    pub(crate) base: Option<String>,
    /// Whether it came to Entra through the token proxy of an identity binding.
    pub(crate) through_binding: bool,
}

impl Call {
    pub(crate) fn new(method: Method, host: &str, uri: &http::Uri, headers: HeaderMap, body: Bytes) -> Self {
        let raw_query = uri.query().unwrap_or_default().to_owned();
        Self {
            method,
            host: host.to_ascii_lowercase(),
            path: uri.path().to_owned(),
            query: url::form_urlencoded::parse(raw_query.as_bytes()).into_owned().collect(),
            raw_query,
            headers,
            body,
            token_shape: None,
            challenge: None,
            base: None,
            through_binding: false,
        }
    }

    /// A header's value; none when it is not text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The first value of a query parameter, its name in any case.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The decoded, non-empty segments of the path.
    pub(crate) fn segments(&self) -> Vec<String> {
        self.path.split('/').filter(|part| !part.is_empty()).map(decode).collect()
    }

    /// The body as JSON.
    pub(crate) fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }

    /// The bearer token of the request.
    pub(crate) fn bearer(&self) -> Option<&str> {
        let (scheme, token) = self.header("authorization")?.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
    }
}

/// Percent-decodes one segment of a path.
pub(crate) fn decode(segment: &str) -> String {
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let hex = (first == b'%')
            .then(|| tail.get(..2))
            .flatten()
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match hex {
            Some(byte) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            None => {
                bytes.push(first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// What an answer says about itself to the journal.
#[derive(Debug, Default)]
pub(crate) struct Trail {
    pub(crate) principal: Option<Principal>,
    pub(crate) grant: Option<&'static str>,
    pub(crate) audience: Option<String>,
    pub(crate) note: Option<String>,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) trail: Trail,
}

impl Reply {
    pub(crate) fn new(status: u16) -> Self {
        Self {
            status: StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            headers: HeaderMap::new(),
            body: Bytes::new(),
            trail: Trail::default(),
        }
    }

    pub(crate) fn json(status: u16, body: &Value) -> Self {
        let mut reply = Self::new(status).header("content-type", "application/json; charset=utf-8");
        reply.body = body.to_string().into();
        reply
    }

    /// A refusal in the form that most services have, with a note of the same.
    pub(crate) fn problem(status: u16, code: &str, message: impl Into<String>) -> Self {
        let message = message.into();
        let note = format!("{code}: {message}");
        Self::json(status, &serde_json::json!({"error": {"code": code, "message": message}})).note(note)
    }

    pub(crate) fn text(status: u16, body: impl Into<String>) -> Self {
        let mut reply = Self::new(status).header("content-type", "text/plain; charset=utf-8");
        reply.body = body.into().into();
        reply
    }

    /// Sets a header; a value that cannot be one is left out.
    pub(crate) fn header(mut self, name: &str, value: impl AsRef<str>) -> Self {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::from_bytes(value.as_ref().as_bytes()))
        {
            self.headers.insert(name, value);
        }
        self
    }

    /// Sets a cookie, beside those that are set already.
    pub(crate) fn cookie(mut self, cookie: &str) -> Self {
        if let Ok(value) = HeaderValue::try_from(cookie) {
            self.headers.append(http::header::SET_COOKIE, value);
        }
        self
    }

    pub(crate) fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }

    pub(crate) fn note(mut self, note: impl Into<String>) -> Self {
        self.trail.note = Some(note.into());
        self
    }

    pub(crate) fn principal(mut self, principal: Principal, audience: &str) -> Self {
        self.trail.principal = Some(principal);
        self.trail.audience = Some(audience.to_owned());
        self
    }
}

#[cfg(test)]
impl Call {
    pub(crate) fn test(method: &str, host: &str, target: &str) -> Self {
        Self::new(
            Method::from_bytes(method.as_bytes()).expect("method"),
            host,
            &target.parse().expect("target"),
            HeaderMap::new(),
            Bytes::new(),
        )
    }

    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        let name = HeaderName::try_from(name).expect("header");
        self.headers.append(name, HeaderValue::try_from(value).expect("value"));
        self
    }
}

#[cfg(test)]
mod tests {
    use super::{Call, decode};

    #[test]
    fn paths_and_queries_are_decoded() {
        let call = Call::test("GET", "H", "/a%20b//c?api%2Dversion=1&x=a+b");
        assert_eq!(call.segments(), ["a b", "c"]);
        assert_eq!(call.parameter("API-version"), Some("1"));
        assert_eq!(call.parameter("x"), Some("a b"));
        assert_eq!(decode("%zz%2"), "%zz%2");
    }
}
