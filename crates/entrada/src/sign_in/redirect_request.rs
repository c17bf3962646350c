//! The request with which a browser brings the answer of the authorization endpoint (RFC 6749, section 4.1.2; OAuth 2.0
//! Form Post Response Mode).
//!
//! Anybody on this machine, and any page in its browser, can send requests to the port that waits for it. So the request
//! is read by a strict reader, within bounds, and counts only if it is addressed to this machine by one of its own names,
//! so that no other name can be made to lead here; and if it knows the state that was sent along with the person.

use zeroize::Zeroizing;

use super::redirect_uri::RedirectUri;
use crate::platform::LoopbackHost;

/// The largest head and body, in bytes. Real ones have two or three thousand.
pub(crate) const LARGEST_HEAD: usize = 16 << 10;
pub(crate) const LARGEST_BODY: usize = 64 << 10;
const MOST_HEADERS: usize = 100;

/// What counts as the answer.
pub(crate) struct Expected {
    pub(crate) host: LoopbackHost,
    pub(crate) port: u16,
    pub(crate) path: String,
    pub(crate) state: String,
}

impl Expected {
    pub(super) fn new(uri: &RedirectUri, port: u16, state: &str) -> Self {
        Self { host: uri.host, port, path: uri.path.clone(), state: state.to_owned() }
    }
}

/// What has arrived so far.
#[derive(Debug)]
pub(crate) enum Arrived {
    /// Not all of it.
    Part,
    /// A request that is not the answer, or none at all.
    Other(Refusal),
    /// The answer.
    Answer(Answer),
}

/// How a request is turned away; the wait goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// The HTTP status.
    pub(crate) status: u16,
    /// What is wrong.
    pub(crate) why: &'static str,
}

/// What the authorization endpoint answered.
pub(crate) enum Answer {
    /// A code.
    Code(Zeroizing<String>),
    /// A refusal, in OAuth's words and in Entra's.
    Refused { error: String, description: String },
}

impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Code(_) => "Code",
            Self::Refused { .. } => "Refused",
        })
    }
}

/// Reads what has arrived.
pub(crate) fn read(bytes: &[u8], expected: &Expected) -> Arrived {
    match message(bytes) {
        Ok(None) => Arrived::Part,
        Ok(Some(message)) => judge(&message, expected).map_or_else(Arrived::Other, Arrived::Answer),
        Err(refusal) => Arrived::Other(refusal),
    }
}

/// A whole request.
struct Message<'a> {
    method: &'a str,
    target: &'a str,
    host: &'a [u8],
    is_form: bool,
    body: &'a [u8],
}

const fn refuse(status: u16, why: &'static str) -> Refusal {
    Refusal { status, why }
}

/// Reads a request (RFC 9112); `None` where more of it has to come.
fn message(bytes: &[u8]) -> Result<Option<Message<'_>>, Refusal> {
    let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
    let mut request = httparse::Request::new(&mut headers);
    let head = match request.parse(bytes) {
        Ok(httparse::Status::Complete(head)) if head <= LARGEST_HEAD => head,
        Ok(httparse::Status::Partial) if bytes.len() < LARGEST_HEAD => return Ok(None),
        Ok(_) | Err(httparse::Error::TooManyHeaders) => return Err(refuse(431, "the headers are too large")),
        Err(_) => return Err(refuse(400, "this is not an HTTP request")),
    };
    let (Some(method), Some(target)) = (request.method, request.path) else {
        return Err(refuse(400, "this is not an HTTP request"));
    };
    let only = |name: &str| {
        let mut all = request.headers.iter().filter(|header| header.name.eq_ignore_ascii_case(name));
        let first = all.next().map(|header| header.value);
        if all.next().is_some() { Err(refuse(400, "a header is there twice")) } else { Ok(first) }
    };
    let host = only("host")?.ok_or(refuse(400, "there is no Host header"))?;
    if only("transfer-encoding")?.is_some() {
        return Err(refuse(411, "the request must say how long it is"));
    }
    let length = match only("content-length")? {
        None => None,
        Some(digits) => Some(length(digits)?),
    };
    let body = match (method, length) {
        ("POST", None) => return Err(refuse(411, "the request must say how long it is")),
        ("POST", Some(length)) => match bytes.get(head..head + length) {
            Some(body) => body,
            None => return Ok(None),
        },
        _ => &[],
    };
    let kind = only("content-type")?.unwrap_or_default();
    let kind = kind.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
    let is_form = kind.eq_ignore_ascii_case(b"application/x-www-form-urlencoded");
    Ok(Some(Message { method, target, host, is_form, body }))
}

/// The value of `Content-Length` (RFC 9110, section 8.6).
fn length(digits: &[u8]) -> Result<usize, Refusal> {
    let text = std::str::from_utf8(digits).unwrap_or_default().trim();
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(refuse(400, "the length of the request is not a number"));
    }
    match text.parse() {
        Ok(length) if length <= LARGEST_BODY => Ok(length),
        _ => Err(refuse(413, "the request is too large")),
    }
}

/// Whether a request is the answer.
fn judge(message: &Message<'_>, expected: &Expected) -> Result<Answer, Refusal> {
    if !names_this_machine(message.host, expected) {
        return Err(refuse(400, "the request is for another host"));
    }
    let (path, query) = match message.target.split_once('?') {
        Some((path, query)) => (path, query.as_bytes()),
        None => (message.target, [].as_slice()),
    };
    if path != expected.path {
        return Err(refuse(404, "there is nothing here"));
    }
    let parameters = match message.method {
        "GET" => query,
        "POST" if message.is_form => message.body,
        "POST" => return Err(refuse(400, "the request is not a form")),
        _ => return Err(refuse(405, "only GET and POST are answered here")),
    };
    let (mut code, mut state, mut error, mut description) = (None, None, None, None);
    for (name, value) in url::form_urlencoded::parse(parameters) {
        let place = match &*name {
            "code" => &mut code,
            "state" => &mut state,
            "error" => &mut error,
            "error_description" => &mut description,
            _ => continue,
        };
        // RFC 6749, section 3.1.
        if place.replace(Zeroizing::new(value.into_owned())).is_some() {
            return Err(refuse(400, "a parameter is there twice"));
        }
    }
    if state.is_none_or(|state| *state != expected.state) {
        return Err(refuse(400, "this does not belong to the sign-in that is waited for here"));
    }
    match (code.filter(|code| !code.is_empty()), error.filter(|error| !error.is_empty())) {
        (Some(code), None) => Ok(Answer::Code(code)),
        (None, Some(error)) => {
            let description = description.map(|text| text.to_string()).unwrap_or_default();
            Ok(Answer::Refused { error: error.to_string(), description })
        }
        _ => Err(refuse(400, "there must be a code or an error")),
    }
}

/// Whether a `Host` header names this machine and the port.
fn names_this_machine(host: &[u8], expected: &Expected) -> bool {
    let Ok(host) = std::str::from_utf8(host) else { return false };
    let host = host.trim().to_ascii_lowercase();
    let names: &[&str] = match expected.host {
        LoopbackHost::Localhost => &["localhost", "127.0.0.1", "[::1]"],
        LoopbackHost::Ipv4 => &["localhost", "127.0.0.1"],
        LoopbackHost::Ipv6 => &["localhost", "[::1]"],
    };
    names.iter().any(|name| match host.strip_prefix(name) {
        Some("") => expected.port == 80,
        Some(rest) => rest.strip_prefix(':').is_some_and(|port| port == expected.port.to_string()),
        None => false,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn expected() -> Expected {
        Expected { host: LoopbackHost::Localhost, port: 8400, path: "/".into(), state: "st4te".into() }
    }

    fn read(request: &str) -> Arrived {
        super::read(request.as_bytes(), &expected())
    }

    fn get(query: &str) -> String {
        format!("GET /?{query} HTTP/1.1\r\nHost: localhost:8400\r\n\r\n")
    }

    fn post(body: &str) -> String {
        format!(
            "POST / HTTP/1.1\r\nhost: LOCALHOST:8400\r\nContent-Type: application/x-www-form-urlencoded; charset=utf-8\r\n\
             Content-Length: {}\r\nOrigin: https://login.microsoftonline.com\r\n\r\n{body}",
            body.len()
        )
    }

    fn status(request: &str) -> u16 {
        match read(request) {
            Arrived::Other(refusal) => refusal.status,
            other => panic!("{other:?} to {request}"),
        }
    }

    #[test]
    fn the_answer_comes_by_query_or_by_form() {
        let parameters = "code=0.A%2Bb&state=st4te&session_state=x&client_info=y";
        for request in [get(parameters), post(parameters)] {
            match read(&request) {
                Arrived::Answer(Answer::Code(code)) => assert_eq!(*code, "0.A+b"),
                other => panic!("{other:?}"),
            }
        }
        let parameters = "error=access_denied&error_description=AADSTS65004%3A+declined&state=st4te";
        for request in [get(parameters), post(parameters)] {
            match read(&request) {
                Arrived::Answer(Answer::Refused { error, description }) => {
                    assert_eq!((error.as_str(), description.as_str()), ("access_denied", "AADSTS65004: declined"));
                }
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn what_has_not_arrived_is_waited_for() {
        for request in [get("code=c&state=st4te"), post("code=c&state=st4te")] {
            for end in 0..request.len() {
                let part = super::read(&request.as_bytes()[..end], &expected());
                assert!(matches!(part, Arrived::Part), "{part:?} to {}", &request[..end]);
            }
        }
    }

    #[test]
    fn what_is_not_the_answer_is_turned_away() {
        let fine = "code=c&state=st4te";
        for (status_expected, request) in [
            (400, get("code=c&state=other")),
            (400, get("code=c")),
            (400, get("")),
            (400, get("state=st4te")),
            (400, get("code=&state=st4te")),
            (400, get("code=c&error=e&state=st4te")),
            (400, get("code=c&code=d&state=st4te")),
            (400, get("code=c&state=st4te&state=other")),
            (404, get(fine).replace("GET /", "GET /favicon.ico")),
            (404, get(fine).replace("GET /", "GET /other")),
            (404, get(fine).replace("GET /", "GET http://localhost:8400/")),
            (400, get(fine).replace("localhost:8400", "evil.example:8400")),
            (400, get(fine).replace("localhost:8400", "localhost:8401")),
            (400, get(fine).replace("localhost:8400", "localhost")),
            (400, get(fine).replace("localhost:8400", "localhost.evil.example:8400")),
            (400, get(fine).replace("Host: localhost:8400\r\n", "")),
            (400, get(fine).replace("\r\n\r\n", "\r\nHost: localhost:8400\r\n\r\n")),
            (405, get(fine).replace("GET", "HEAD")),
            (405, get(fine).replace("GET", "OPTIONS")),
            (400, post(fine).replace("application/x-www-form-urlencoded", "application/json")),
            (411, post(fine).replace("Content-Length: 18\r\n", "")),
            (411, post(fine).replace("Content-Length: 18", "Transfer-Encoding: chunked")),
            (400, post(fine).replace("Content-Length: 18", "Content-Length: +18")),
            (400, post(fine).replace("Content-Length: 18", "Content-Length: 18\r\nContent-Length: 18")),
            (413, post(fine).replace("Content-Length: 18", "Content-Length: 65537")),
            (413, post(fine).replace("Content-Length: 18", "Content-Length: 99999999999999999999")),
            (400, "\u{16}\u{3}\u{1}\u{2}".to_owned()),
            (431, format!("GET / HTTP/1.1\r\n{}\r\n", "A: b\r\n".repeat(MOST_HEADERS + 1))),
            (431, format!("GET /{}", "a".repeat(LARGEST_HEAD))),
            (431, get(&format!("{fine}&x={}", "a".repeat(LARGEST_HEAD)))),
        ] {
            assert_eq!(status(&request), status_expected, "{}", &request[..request.len().min(300)]);
        }
    }

    #[test]
    fn each_name_of_this_machine_will_do_that_is_listened_at() {
        let read = |host: LoopbackHost, port: u16, name: &str| {
            let expected = Expected { host, port, ..expected() };
            let request = get("code=c&state=st4te").replace("localhost:8400", name);
            matches!(super::read(request.as_bytes(), &expected), Arrived::Answer(_))
        };
        assert!(read(LoopbackHost::Localhost, 8400, "127.0.0.1:8400"));
        assert!(read(LoopbackHost::Localhost, 8400, "[::1]:8400"));
        assert!(read(LoopbackHost::Ipv6, 80, "[::1]"));
        assert!(!read(LoopbackHost::Ipv4, 8400, "[::1]:8400"));
    }

    #[test]
    fn a_code_is_not_shown() {
        assert!(!format!("{:?}", read(&get("code=s3cret&state=st4te"))).contains("s3cret"));
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = super::read(&bytes, &expected());
        }

        #[test]
        fn without_the_state_nothing_is_an_answer(
            head in "(GET|POST) /[a-z?&=%0-9]{0,30}", body in "[a-z&=%0-9]{0,60}", host in "[a-z0-9.:]{0,20}",
        ) {
            let request = format!("{head} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
            prop_assert!(!matches!(read(&request), Arrived::Answer(_)));
        }

        #[test]
        fn whatever_the_code_is_it_arrives(code in "\\PC{1,60}") {
            let encoded: String = url::form_urlencoded::byte_serialize(code.as_bytes()).collect();
            match read(&post(&format!("state=st4te&code={encoded}"))) {
                Arrived::Answer(Answer::Code(arrived)) => prop_assert_eq!(&*arrived, &code),
                other => panic!("{other:?}"),
            }
        }
    }
}
