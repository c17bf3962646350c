//! Faults by rule: which exchanges they meet, and what happens to those.

mod active;
mod check;
mod shape;

pub use active::Faults;

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One rule. The first rule that matches an exchange, and is not used up, is applied to it.
///
/// The actions of one rule combine: `delay_ms` with anything, `date_skew_seconds` with any answer.
/// Without `respond`, `reset`, `hang` or `truncate` the service answers as usual. `not_listening_ms` and
/// `other_certificate` are met before there is an exchange, and stand alone.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FaultRule {
    /// Which exchanges the rule is for; every one, if left out.
    #[serde(rename = "match")]
    pub matching: Match,
    /// How many matching exchanges to let through first.
    pub skip: u64,
    /// How many exchanges the rule is applied to; without end, if left out.
    pub times: Option<u64>,
    /// How many milliseconds the rule lasts from the first exchange it is applied to; without end, if left out.
    pub for_ms: Option<u64>,
    /// From the moment the rule is in force, and for so many milliseconds, the port of the service that is matched
    /// refuses connections. For services with a port of their own: the managed-identity endpoints.
    pub not_listening_ms: Option<u64>,
    /// Shows another certificate in the TLS handshake: the endpoint of `service-fabric`, and (as `entra`) the token
    /// proxy of an identity binding.
    pub other_certificate: bool,
    /// Names this path in the challenge of Azure Arc's agent, where no file is written.
    pub challenge: Option<String>,
    /// Waits so many milliseconds before anything else.
    pub delay_ms: Option<u64>,
    /// Moves the `Date` header by so many seconds.
    pub date_skew_seconds: Option<i64>,
    /// Answers with this instead of asking the service.
    pub respond: Option<Respond>,
    /// Closes the connection without an answer.
    pub reset: bool,
    /// Never answers, until the client gives up or the emulator stops.
    pub hang: bool,
    /// Announces more bytes than it sends, then closes the connection.
    pub truncate: bool,
    /// Changes token answers.
    pub token: Option<TokenShape>,
}

/// What a [`FaultRule`] matches. Everything given must hold.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Match {
    /// Name of the service that would answer: `entra`, `imds`, `app-service`, `service-fabric`, `azure-arc`,
    /// `azure-ml`, `cloud-shell`, `key-vault`, `resource-manager`, `blob`, `graph`, `api`, `github-actions`, `azure-pipelines`, `issuer`; or `managed-identity` for any that
    /// hands out tokens of managed identities.
    pub service: Option<String>,
    /// Host name the request was sent to.
    pub host: Option<String>,
    /// Method.
    pub method: Option<String>,
    /// What the path begins with.
    pub path: Option<String>,
    /// What the path contains.
    pub path_contains: Option<String>,
    /// What the query, decoded, contains.
    pub query_contains: Option<String>,
    /// Headers that must be there with exactly these values; `*` stands for any value.
    pub headers: BTreeMap<String, String>,
}

/// An answer of one's own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Respond {
    /// Status; default 500.
    pub status: u16,
    /// Headers.
    pub headers: BTreeMap<String, String>,
    /// Body as it is sent.
    pub body: String,
    /// Body as JSON, in place of `body`; also sets the content type unless `headers` does.
    pub json: Option<serde_json::Value>,
    /// Fills the body up to so many bytes, at most 64 MiB.
    pub body_size: Option<usize>,
}

impl Default for Respond {
    fn default() -> Self {
        Self { status: 500, headers: BTreeMap::new(), body: String::new(), json: None, body_size: None }
    }
}

/// A change to the answer of a token endpoint.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TokenShape {
    /// Lifetime of the token in seconds, negative for one that has already expired; the token's
    /// own `exp` says the same.
    pub expires_in: Option<i64>,
    /// `refresh_in`, in seconds, added to the answer.
    pub refresh_in: Option<i64>,
    /// Fields left out of the answer.
    pub omit: Vec<String>,
    /// The type `expires_in` and `expires_on` are written as.
    pub types: Option<ExpiryType>,
    /// Fields added to the answer, or put in the place of those it has.
    pub set: BTreeMap<String, serde_json::Value>,
    /// Object id of the principal whose token is issued, in the place of the right one's; ids in the answer are
    /// then that one's too.
    pub issue_for: Option<String>,
}

/// How an answer writes times.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExpiryType {
    /// Seconds, in quotes.
    Text,
    /// Seconds, as a JSON number.
    Number,
    /// Seconds, as a JSON number with a fraction.
    Float,
    /// `expires_on` as an RFC 3339 date, `expires_in` as a number.
    Date,
    /// `expires_on` as App Service of 2017 writes it, `06/20/2019 02:57:58 +00:00`, `expires_in` as a number.
    UsDate,
}

impl Respond {
    /// The body to send.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut body = match &self.json {
            Some(json) => json.to_string().into_bytes(),
            None => self.body.clone().into_bytes(),
        };
        if let Some(size) = self.body_size {
            body.resize(size.max(body.len()), b' ');
        }
        body
    }
}
