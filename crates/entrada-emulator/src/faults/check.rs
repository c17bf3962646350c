//! What makes no sense in a rule, said before it is in force.

use super::{FaultRule, Match};
use crate::journal::Service;

/// Stands for every service that hands out tokens of managed identities.
pub(super) const MANAGED_IDENTITY: &str = "managed-identity";

/// Largest `body_size`, in bytes.
const LARGEST_BODY: usize = 64 * 1024 * 1024;

impl FaultRule {
    /// Says what is wrong with a rule, if anything.
    pub(crate) fn check(&self) -> Result<(), String> {
        self.check_respond()?;
        if [self.reset, self.hang, self.truncate].iter().filter(|on| **on).count() > 1 {
            return Err("choose one of `reset`, `hang` and `truncate`".into());
        }
        if let Some(service) = &self.matching.service {
            // The gateway passes requests on; faults meet them at the service behind it.
            let known = Service::ALL.iter().filter(|known| **known != Service::Gateway);
            let known: Vec<_> = known.map(|known| known.name()).chain([MANAGED_IDENTITY]).collect();
            if !known.contains(&service.as_str()) {
                return Err(format!("`{service}` is not a service; use one of {}", known.join(", ")));
            }
        }
        if let Some(object_id) = self.token.as_ref().and_then(|token| token.issue_for.as_deref())
            && uuid::Uuid::try_parse(object_id).is_err()
        {
            return Err(format!("`issue_for` is the object id of a principal, a GUID, not `{object_id}`"));
        }
        self.check_challenge()?;
        self.check_not_listening()?;
        self.check_other_certificate()
    }

    fn check_respond(&self) -> Result<(), String> {
        let Some(respond) = &self.respond else { return Ok(()) };
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
        Ok(())
    }

    fn check_challenge(&self) -> Result<(), String> {
        let Some(path) = &self.challenge else { return Ok(()) };
        if http::HeaderValue::try_from(path).is_err() {
            return Err("`challenge` is a path that a header can carry".into());
        }
        if !self.may_meet(|service| service == Service::AzureArc) {
            return Err("`challenge` is for the service `azure-arc`; no other one challenges with a file".into());
        }
        if self.respond.is_some() || self.reset || self.hang {
            return Err("with `respond`, `reset` or `hang` there is no challenge to change".into());
        }
        Ok(())
    }

    fn check_not_listening(&self) -> Result<(), String> {
        if !self.is_about_the_port() {
            return Ok(());
        }
        let known: Vec<_> = Service::ALL.iter().filter(|one| one.is_managed_identity()).map(|one| one.name()).collect();
        let named = self.matching.service.as_deref();
        if !named.is_some_and(|named| named == MANAGED_IDENTITY || known.contains(&named)) {
            return Err(format!(
                "`not_listening_ms` needs the `service` of a port of its own: {}, or {MANAGED_IDENTITY}",
                known.join(", ")
            ));
        }
        self.stands_alone("not_listening_ms", &Self { not_listening_ms: self.not_listening_ms, ..Self::default() })
    }

    fn check_other_certificate(&self) -> Result<(), String> {
        if !self.other_certificate {
            return Ok(());
        }
        if !self.may_meet(|service| matches!(service, Service::ServiceFabric | Service::Entra)) {
            return Err(
                "`other_certificate` is for the service `service-fabric`, or `entra` behind an identity binding".into(),
            );
        }
        let counts = Self { skip: self.skip, times: self.times, for_ms: self.for_ms, ..Self::default() };
        self.stands_alone("other_certificate", &Self { other_certificate: true, ..counts })
    }

    /// Checks that a rule is `alone` but for the service it matches: nothing else is known before an exchange.
    fn stands_alone(&self, name: &str, alone: &Self) -> Result<(), String> {
        let matching = Match { service: self.matching.service.clone(), ..Match::default() };
        if *self == (Self { matching, ..alone.clone() }) {
            return Ok(());
        }
        Err(format!("`{name}` goes with `match.service` and nothing else: there is no exchange yet"))
    }

    /// Whether the rule could meet one of these services.
    fn may_meet(&self, which: impl Fn(Service) -> bool) -> bool {
        Service::ALL.iter().any(|service| which(*service) && self.meets(*service))
    }
}
