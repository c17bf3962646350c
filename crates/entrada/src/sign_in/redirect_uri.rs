//! Where the browser is sent back to: this machine, and nothing else (RFC 8252, section 7.3).

use url::{Host, Url};

use crate::error::Error;
use crate::platform::LoopbackHost;

/// A redirect URI on loopback.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RedirectUri {
    pub(super) host: LoopbackHost,
    pub(super) port: Option<u16>,
    /// As it is sent and registered: Entra compares it letter by letter, but for the port.
    given: Option<String>,
    /// As a browser asks for it.
    pub(super) path: String,
}

impl Default for RedirectUri {
    /// `http://localhost` with whatever port is free: what an app registration calls a mobile and desktop application.
    fn default() -> Self {
        Self { host: LoopbackHost::Localhost, port: None, given: None, path: "/".into() }
    }
}

impl RedirectUri {
    /// Checks one that a user gave: `http://localhost:PORT`, with a path if need be.
    pub(crate) fn parse(text: &str) -> Result<Self, Error> {
        let refuse = |why: &str| {
            Err(Error::invalid_argument(format!("the redirect URI {text:?} {why}"))
                .next("use http://localhost:PORT as it is registered for the app, for example http://localhost:8400"))
        };
        let Ok(url) = Url::parse(text) else { return refuse("is not a URL") };
        if url.scheme() == "https" {
            return refuse("is an https URL, for which this machine has no certificate");
        }
        if url.scheme() != "http" {
            return refuse("is not an http URL");
        }
        let host = match url.host() {
            Some(Host::Domain("localhost")) => LoopbackHost::Localhost,
            Some(Host::Ipv4(address)) if address == std::net::Ipv4Addr::LOCALHOST => LoopbackHost::Ipv4,
            Some(Host::Ipv6(address)) if address == std::net::Ipv6Addr::LOCALHOST => LoopbackHost::Ipv6,
            _ => return refuse("leads to another machine, where the answer could be read"),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return refuse("must not contain a user name or password");
        }
        if url.query().is_some() || url.fragment().is_some() {
            return refuse("must not contain ? or #");
        }
        // 80 is the default, which the parser drops.
        let port = match url.port() {
            Some(0) => return refuse("names no port"),
            Some(port) => port,
            None if text.contains(":80/") || text.ends_with(":80") => 80,
            None => return refuse("names no port"),
        };
        Ok(Self { host, port: Some(port), given: Some(text.to_owned()), path: url.path().to_owned() })
    }

    /// What is sent, once the port is known.
    pub(super) fn at(&self, port: u16) -> String {
        self.given.clone().unwrap_or_else(|| format!("http://localhost:{port}"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn this_machine_is_fine() {
        for (text, host, port, path) in [
            ("http://localhost:8400", LoopbackHost::Localhost, 8400, "/"),
            ("http://localhost:8400/", LoopbackHost::Localhost, 8400, "/"),
            ("http://127.0.0.1:80/sign/in", LoopbackHost::Ipv4, 80, "/sign/in"),
            ("http://[::1]:65535/a%20b", LoopbackHost::Ipv6, 65535, "/a%20b"),
        ] {
            let uri = RedirectUri::parse(text).expect(text);
            assert_eq!((uri.host, uri.port, uri.path.as_str()), (host, Some(port), path));
            assert_eq!(uri.at(port), text, "it is sent as it was given");
        }
        assert_eq!(RedirectUri::default().at(8412), "http://localhost:8412");
    }

    #[test]
    fn anything_else_is_refused_with_the_reason() {
        for (text, why) in [
            ("https://localhost:8400", "no certificate"),
            ("http://portal.contoso.com:8400", "another machine"),
            ("http://localhost.evil.example:8400", "another machine"),
            ("http://0.0.0.0:8400", "another machine"),
            ("http://localhost", "names no port"),
            ("http://localhost:0", "names no port"),
            ("http://localhost:99999", "is not a URL"),
            ("http://localhost:8400/?a", "must not contain ?"),
            ("http://u@localhost:8400", "user name"),
            ("ms-app://localhost:8400", "is not an http URL"),
            ("localhost:8400", "is not an http URL"),
            ("", "is not a URL"),
        ] {
            let error = RedirectUri::parse(text).expect_err(text);
            assert!(error.is_invalid_argument() && error.to_string().contains(why), "{error}");
        }
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(text in ".{0,60}") {
            let _ = RedirectUri::parse(&text);
            let _ = RedirectUri::parse(&format!("http://localhost:{text}"));
        }
    }
}
