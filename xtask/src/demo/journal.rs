//! The emulator's journal, as `entrada emulate --journal FILE` writes it: a line of JSON an exchange.

use crate::command::Failure;
use serde_json::Value;
use std::path::Path;

/// One request and what became of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Exchange {
    /// When it arrived, in milliseconds since 1970, UTC.
    pub(crate) started: u64,
    /// How long the answer took, in milliseconds.
    pub(crate) took: f64,
    pub(crate) method: String,
    pub(crate) host: String,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) status: u64,
    pub(crate) service: String,
    pub(crate) principal: Option<Principal>,
    /// The grant by which a token was asked for.
    pub(crate) grant: Option<String>,
    pub(crate) audience: Option<String>,
    pub(crate) note: Option<String>,
}

/// Who signed in, or was let in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Principal {
    pub(crate) name: String,
    pub(crate) object_id: String,
    pub(crate) client_id: Option<String>,
}

impl Exchange {
    pub(crate) fn succeeded(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Whether a token was asked for. What comes before is none: a page where a person signs in, the code of a device,
    /// the question whether it was entered by now.
    pub(crate) fn is_token_request(&self) -> bool {
        let Some(grant) = &self.grant else { return false };
        let begins = ["/authorize", "/devicecode"].iter().any(|end| self.path.ends_with(end));
        !begins && (grant != "device_code" || self.succeeded())
    }

    /// Whether this went to something an identity is for, and not to what gives tokens out.
    pub(crate) fn is_use(&self) -> bool {
        matches!(self.service.as_str(), "key-vault" | "resource-manager" | "blob" | "graph")
    }
}

/// Reads a journal.
pub(crate) fn read(path: &Path) -> Result<Vec<Exchange>, Failure> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| Failure::new(format!("the emulator wrote no journal: {}: {error}", path.display())))?;
    parse(&text).map_err(|error| Failure::new(format!("{}: {error}", path.display())))
}

fn parse(text: &str) -> Result<Vec<Exchange>, serde_json::Error> {
    text.lines().map(|line| serde_json::from_str(line).map(|value: Value| exchange(&value))).collect()
}

fn exchange(value: &Value) -> Exchange {
    Exchange {
        started: value["started_unix_ms"].as_u64().unwrap_or_default(),
        took: value["duration_ms"].as_f64().unwrap_or_default(),
        method: text(&value["method"]).unwrap_or_default(),
        host: text(&value["host"]).unwrap_or_default(),
        path: text(&value["path"]).unwrap_or_default(),
        query: text(&value["query"]).unwrap_or_default(),
        status: value["status"].as_u64().unwrap_or_default(),
        service: text(&value["service"]).unwrap_or_default(),
        principal: value["principal"].is_object().then(|| Principal {
            name: text(&value["principal"]["name"]).unwrap_or_default(),
            object_id: text(&value["principal"]["object_id"]).unwrap_or_default(),
            client_id: text(&value["principal"]["client_id"]),
        }),
        grant: text(&value["grant"]),
        audience: text(&value["audience"]),
        note: text(&value["note"]),
    }
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::{Exchange, parse};

    #[test]
    fn a_line_is_an_exchange() {
        let line = r#"{"sequence":1,"started_unix_ms":5,"duration_ms":1.5,"host":"h","method":"GET","path":"/p","query":"","status":200,"service":"imds","principal":{"name":"vm","object_id":"o","client_id":null},"grant":"managed_identity","audience":"a","note":null}"#;
        let [exchange] = &parse(line).expect("read")[..] else { panic!("one line, one exchange") };
        assert!(exchange.succeeded() && exchange.is_token_request() && !exchange.is_use());
        assert_eq!(exchange.principal.as_ref().map(|principal| principal.name.as_str()), Some("vm"));
        assert!(parse("not JSON").is_err());
    }

    #[test]
    fn what_comes_before_a_token_is_no_request_for_it() {
        let exchange = |path: &str, status, grant: &str| Exchange {
            path: path.into(),
            status,
            grant: Some(grant.into()),
            ..Exchange::default()
        };
        assert!(!exchange("/t/oauth2/v2.0/authorize", 200, "authorize").is_token_request());
        assert!(!exchange("/t/oauth2/v2.0/token", 400, "device_code").is_token_request());
        assert!(exchange("/t/oauth2/v2.0/token", 200, "device_code").is_token_request());
        assert!(exchange("/t/oauth2/v2.0/token", 401, "client_credentials").is_token_request());
    }
}
