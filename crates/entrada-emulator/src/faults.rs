//! Faults by rule: which exchanges they meet, and what happens to those.

use crate::call::Call;
use crate::journal::Service;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// One rule. The first rule that matches an exchange, and is not used up, is applied to it.
///
/// The actions of one rule combine: `delay_ms` with anything, `date_skew_seconds` with any answer.
/// Without `respond`, `reset`, `hang` or `truncate` the service answers as usual.
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
    /// Name of the service that would answer: `entra`, `imds`, `app-service`, `key-vault`,
    /// `resource-manager`, `blob`, `graph`.
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

/// Largest `body_size`, in bytes.
const LARGEST_BODY: usize = 64 * 1024 * 1024;

impl FaultRule {
    /// Says what is wrong with a rule, if anything.
    pub(crate) fn check(&self) -> Result<(), String> {
        if let Some(respond) = &self.respond {
            if http::StatusCode::from_u16(respond.status).is_err() || respond.status < 200 {
                return Err(format!("`status = {}` is not an HTTP status from 200 to 999", respond.status));
            }
            if respond.body_size.is_some_and(|size| size > LARGEST_BODY) {
                return Err(format!("`body_size` is at most {LARGEST_BODY}"));
            }
            for (name, value) in &respond.headers {
                if http::HeaderName::try_from(name).is_err() || http::HeaderValue::try_from(value).is_err() {
                    return Err(format!("the header `{name}` cannot be sent"));
                }
            }
        }
        if [self.reset, self.hang, self.truncate].iter().filter(|on| **on).count() > 1 {
            return Err("choose one of `reset`, `hang` and `truncate`".into());
        }
        if let Some(service) = &self.matching.service {
            // The gateway passes requests on; faults meet them at the service behind it.
            let known = Service::ALL.iter().filter(|known| **known != Service::Gateway);
            let known: Vec<_> = known.map(|known| known.name()).collect();
            if !known.contains(&service.as_str()) {
                return Err(format!("`{service}` is not a service; use one of {}", known.join(", ")));
            }
        }
        Ok(())
    }

    fn matches(&self, service: &str, call: &Call) -> bool {
        let wanted = &self.matching;
        let same = |wanted: &Option<String>, given: &str| {
            wanted.as_deref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(given))
        };
        same(&wanted.service, service)
            && same(&wanted.host, &call.host)
            && same(&wanted.method, call.method.as_str())
            && wanted.path.as_deref().is_none_or(|path| call.path.starts_with(path))
            && wanted.path_contains.as_deref().is_none_or(|part| call.path.contains(part))
            && wanted
                .query_contains
                .as_deref()
                .is_none_or(|part| call.query.iter().any(|(name, value)| format!("{name}={value}").contains(part)))
            && wanted
                .headers
                .iter()
                .all(|(name, value)| call.header(name).is_some_and(|given| value == "*" || given == value))
    }
}

#[derive(Debug)]
struct Active {
    rule: Arc<FaultRule>,
    skip: u64,
    left: Option<u64>,
}

/// The rules in force. Cheap to clone; all clones are the same list.
#[derive(Clone, Debug, Default)]
pub struct Faults(Arc<Mutex<Vec<Active>>>);

impl Faults {
    /// Adds a rule after those in force.
    ///
    /// # Errors
    /// Says what is wrong with the rule.
    pub fn add(&self, rule: FaultRule) -> Result<(), String> {
        rule.check()?;
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(Active {
            skip: rule.skip,
            left: rule.times,
            rule: Arc::new(rule),
        });
        Ok(())
    }

    /// Replaces all rules.
    ///
    /// # Errors
    /// Says what is wrong with the first bad rule; the rules in force then stay.
    pub fn replace(&self, rules: Vec<FaultRule>) -> Result<(), String> {
        for (index, rule) in rules.iter().enumerate() {
            rule.check().map_err(|message| format!("rule {}: {message}", index + 1))?;
        }
        let active =
            rules.into_iter().map(|rule| Active { skip: rule.skip, left: rule.times, rule: Arc::new(rule) }).collect();
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = active;
        Ok(())
    }

    /// Removes all rules.
    pub fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// The rules that are not used up.
    #[must_use]
    pub fn rules(&self) -> Vec<FaultRule> {
        let active = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        active
            .iter()
            .map(|active| FaultRule { skip: active.skip, times: active.left, ..(*active.rule).clone() })
            .filter(|rule| rule.times != Some(0))
            .collect()
    }

    /// Takes the rule to apply to this exchange, counting it as used.
    pub(crate) fn take(&self, service: &str, call: &Call) -> Option<Arc<FaultRule>> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for active in all.iter_mut() {
            if active.left == Some(0) || !active.rule.matches(service, call) {
                continue;
            }
            if active.skip > 0 {
                active.skip -= 1;
                continue;
            }
            if let Some(left) = &mut active.left {
                *left -= 1;
            }
            return Some(active.rule.clone());
        }
        None
    }
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

impl TokenShape {
    /// Finishes an answer whose times are numbers: writes them as `usual`, unless the rule says otherwise.
    pub(crate) fn apply(&self, answer: &mut serde_json::Map<String, serde_json::Value>, usual: ExpiryType) {
        for name in ["expires_in", "expires_on", "ext_expires_in", "not_before"] {
            let Some(seconds) = answer.get(name).and_then(serde_json::Value::as_i64) else { continue };
            let written = match self.types.filter(|_| name != "not_before").unwrap_or(usual) {
                ExpiryType::Text => seconds.to_string().into(),
                // Seconds are far from where a float would lose any.
                #[allow(clippy::cast_precision_loss)]
                ExpiryType::Float => (seconds as f64).into(),
                ExpiryType::Date if name == "expires_on" => crate::clock::iso_time(seconds).into(),
                ExpiryType::UsDate if name == "expires_on" => crate::clock::us_time(seconds).into(),
                ExpiryType::Number | ExpiryType::Date | ExpiryType::UsDate => seconds.into(),
            };
            answer.insert(name.into(), written);
        }
        if let Some(refresh_in) = self.refresh_in {
            answer.insert("refresh_in".into(), refresh_in.into());
        }
        for name in &self.omit {
            answer.remove(name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{ExpiryType, FaultRule, Faults, Match, Respond, TokenShape};
    use crate::call::Call;

    fn call(path: &str) -> Call {
        Call::test("GET", "169.254.169.254", path)
    }

    #[test]
    fn a_rule_is_skipped_used_and_used_up() {
        let faults = Faults::default();
        let rule = FaultRule {
            matching: Match {
                path: Some("/metadata".into()),
                query_contains: Some("a=b c".into()),
                ..Match::default()
            },
            skip: 1,
            times: Some(1),
            reset: true,
            ..FaultRule::default()
        };
        faults.add(rule).expect("valid");
        assert!(faults.take("imds", &call("/other?a=b%20c")).is_none());
        assert!(faults.take("imds", &call("/metadata?a=b%20c")).is_none(), "skipped");
        assert!(faults.take("imds", &call("/metadata?a=b+c")).is_some());
        assert!(faults.take("imds", &call("/metadata?a=b+c")).is_none(), "used up");
        assert!(faults.rules().is_empty());
    }

    #[test]
    fn bad_rules_are_refused_with_the_reason() {
        let faults = Faults::default();
        let bad = FaultRule { respond: Some(Respond { status: 7, ..Respond::default() }), ..FaultRule::default() };
        assert!(faults.add(bad).expect_err("refused").contains("status = 7"));
        let bad =
            FaultRule { matching: Match { service: Some("vault".into()), ..Match::default() }, ..FaultRule::default() };
        assert!(faults.replace(vec![bad]).expect_err("refused").contains("key-vault"));
    }

    #[test]
    fn token_answers_take_the_types_asked_for() {
        let mut answer = serde_json::json!({"access_token": "t", "expires_in": 60, "expires_on": 86_400});
        let shape =
            TokenShape { types: Some(ExpiryType::Date), omit: vec!["access_token".into()], ..TokenShape::default() };
        shape.apply(answer.as_object_mut().expect("object"), ExpiryType::Text);
        assert_eq!(answer, serde_json::json!({"expires_in": 60, "expires_on": "1970-01-02T00:00:00.0000000Z"}));
    }
}
