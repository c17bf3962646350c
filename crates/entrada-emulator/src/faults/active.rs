//! The rules in force: which one meets an exchange, and when it is used up.

use super::FaultRule;
use super::check::MANAGED_IDENTITY;
use crate::call::Call;
use crate::journal::Service;
use crate::port::Port;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Further off than any run lasts.
const FOR_EVER: Duration = Duration::from_secs(100 * 365 * 24 * 3600);

impl FaultRule {
    /// Whether the rule is for a service, as far as its name goes.
    pub(super) fn meets(&self, service: Service) -> bool {
        self.matching.service.as_deref().is_none_or(|wanted| {
            wanted.eq_ignore_ascii_case(service.name()) || (wanted == MANAGED_IDENTITY && service.is_managed_identity())
        })
    }

    /// Whether the rule shuts a port, and so meets no exchange.
    pub(super) fn is_about_the_port(&self) -> bool {
        self.not_listening_ms.is_some_and(|duration| duration > 0)
    }

    fn matches(&self, service: Service, call: &Call) -> bool {
        let wanted = &self.matching;
        let same = |wanted: &Option<String>, given: &str| {
            wanted.as_deref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(given))
        };
        self.meets(service)
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

/// A rule in force.
#[derive(Debug)]
struct Active {
    rule: Arc<FaultRule>,
    skip: u64,
    left: Option<u64>,
    /// When it ends, once that is known: for a port from the start, else from the first use.
    ends: Option<Instant>,
}

impl Active {
    fn new(rule: FaultRule) -> Self {
        let ends = rule.not_listening_ms.filter(|_| rule.is_about_the_port()).map(after);
        Self { skip: rule.skip, left: rule.times, ends, rule: Arc::new(rule) }
    }

    fn is_used_up(&self, now: Instant) -> bool {
        self.left == Some(0) || self.ends.is_some_and(|ends| ends <= now)
    }

    /// Counts a use; whether the rule is to be applied.
    fn count(&mut self) -> bool {
        if self.skip > 0 {
            self.skip -= 1;
            return false;
        }
        if let Some(left) = &mut self.left {
            *left -= 1;
        }
        self.ends = self.ends.or_else(|| self.rule.for_ms.map(after));
        true
    }
}

fn after(milliseconds: u64) -> Instant {
    let duration = Duration::from_millis(milliseconds).min(FOR_EVER);
    Instant::now().checked_add(duration).unwrap_or_else(Instant::now)
}

/// The rules in force. Cheap to clone; all clones are the same list.
#[derive(Clone, Default)]
pub struct Faults(Arc<Mutex<Lists>>);

#[derive(Default)]
struct Lists {
    rules: Vec<Active>,
    /// The ports that rules can shut.
    ports: Vec<(Service, Arc<Port>)>,
}

impl std::fmt::Debug for Faults {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Faults").field(&self.lock().rules).finish()
    }
}

impl Faults {
    /// No rules yet, and the ports that rules can shut.
    pub(crate) fn over(ports: Vec<(Service, Arc<Port>)>) -> Self {
        Self(Arc::new(Mutex::new(Lists { rules: Vec::new(), ports })))
    }

    /// Adds a rule after those in force. A port that it shuts refuses connections when this returns.
    ///
    /// # Errors
    /// Says what is wrong with the rule.
    pub fn add(&self, rule: FaultRule) -> Result<(), String> {
        rule.check()?;
        let mut lists = self.lock();
        lists.rules.push(Active::new(rule));
        lists.shut_ports();
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
        let mut lists = self.lock();
        lists.rules = rules.into_iter().map(Active::new).collect();
        lists.shut_ports();
        Ok(())
    }

    /// Removes all rules, and opens what they had shut.
    pub fn clear(&self) {
        let mut lists = self.lock();
        lists.rules.clear();
        lists.shut_ports();
    }

    /// The rules that are not used up.
    #[must_use]
    pub fn rules(&self) -> Vec<FaultRule> {
        let now = Instant::now();
        self.lock()
            .rules
            .iter()
            .filter(|active| !active.is_used_up(now))
            .map(|active| FaultRule { skip: active.skip, times: active.left, ..(*active.rule).clone() })
            .collect()
    }

    /// Takes the rule to apply to this exchange, counting it as used.
    pub(crate) fn take(&self, service: Service, call: &Call) -> Option<Arc<FaultRule>> {
        self.first(|rule| !rule.is_about_the_port() && !rule.other_certificate && rule.matches(service, call))
    }

    /// Whether the next TLS handshake of a service shows another certificate, counting the rule that says so.
    pub(crate) fn shows_other_certificate(&self, service: Service) -> bool {
        self.first(|rule| rule.other_certificate && rule.meets(service)).is_some()
    }

    fn first(&self, fits: impl Fn(&FaultRule) -> bool) -> Option<Arc<FaultRule>> {
        let now = Instant::now();
        let mut lists = self.lock();
        let mut fitting = lists.rules.iter_mut().filter(|active| !active.is_used_up(now) && fits(&active.rule));
        fitting.find_map(|active| active.count().then(|| active.rule.clone()))
    }

    fn lock(&self) -> MutexGuard<'_, Lists> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lists {
    /// Shuts and opens ports as the rules say.
    fn shut_ports(&self) {
        for (service, port) in &self.ports {
            let rules = self.rules.iter().filter(|active| active.rule.is_about_the_port());
            port.shut_until(rules.filter(|active| active.rule.meets(*service)).filter_map(|active| active.ends).max());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{FaultRule, Faults};
    use crate::call::Call;
    use crate::faults::{Match, Respond};
    use crate::journal::Service;
    use serde_json::json;

    fn call(path: &str) -> Call {
        Call::test("GET", "169.254.169.254", path)
    }

    fn rule(value: serde_json::Value) -> FaultRule {
        serde_json::from_value(value).expect("a rule")
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
        let take = |path| faults.take(Service::Imds, &call(path));
        assert!(take("/other?a=b%20c").is_none());
        assert!(take("/metadata?a=b%20c").is_none(), "skipped");
        assert!(take("/metadata?a=b+c").is_some());
        assert!(take("/metadata?a=b+c").is_none(), "used up");
        assert!(faults.rules().is_empty());
    }

    #[test]
    fn a_rule_ends_some_time_after_its_first_use() {
        let faults = Faults::default();
        faults.add(rule(json!({"for_ms": 0, "reset": true}))).expect("valid");
        assert_eq!(faults.rules().len(), 1, "not used yet");
        assert!(faults.take(Service::Imds, &call("/")).is_some());
        assert!(faults.take(Service::Imds, &call("/")).is_none() && faults.rules().is_empty());
    }

    #[test]
    fn one_name_stands_for_every_managed_identity() {
        let faults = Faults::default();
        faults.add(rule(json!({"match": {"service": "managed-identity"}, "reset": true}))).expect("valid");
        for service in Service::ALL {
            assert_eq!(faults.take(service, &call("/")).is_some(), service.is_managed_identity(), "{service:?}");
        }
    }

    #[test]
    fn bad_rules_are_refused_with_the_reason() {
        let faults = Faults::default();
        let bad = FaultRule { respond: Some(Respond { status: 7, ..Respond::default() }), ..FaultRule::default() };
        assert!(faults.add(bad).expect_err("refused").contains("status = 7"));
        for (bad, words) in [
            (json!({"match": {"service": "vault"}}), "key-vault"),
            (json!({"token": {"issue_for": "ada"}}), "GUID"),
            (json!({"match": {"service": "imds"}, "challenge": "/x"}), "azure-arc"),
            (json!({"challenge": "/x", "hang": true}), "no challenge"),
            (json!({"challenge": "/x\n"}), "header"),
            (json!({"not_listening_ms": 5}), "cloud-shell"),
            (json!({"match": {"service": "key-vault"}, "not_listening_ms": 5}), "cloud-shell"),
            (json!({"match": {"service": "imds", "path": "/"}, "not_listening_ms": 5}), "nothing else"),
            (json!({"match": {"service": "imds"}, "not_listening_ms": 5, "times": 1}), "nothing else"),
            (json!({"match": {"service": "imds"}, "other_certificate": true}), "service-fabric"),
            (json!({"other_certificate": true, "delay_ms": 5}), "nothing else"),
        ] {
            let message = faults.replace(vec![rule(bad.clone())]).expect_err("refused");
            assert!(message.contains(words), "{bad}: {message}");
        }
        faults.add(rule(json!({"not_listening_ms": 0}))).expect("says nothing");
        faults.add(rule(json!({"match": {"service": "entra"}, "other_certificate": true, "times": 1}))).expect("valid");
    }
}
