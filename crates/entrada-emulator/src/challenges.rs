//! Continuous access evaluation: what a resource server demands of a token that is good otherwise, and how it says so
//! (<https://learn.microsoft.com/entra/identity-platform/claims-challenge>).

use crate::call::Reply;
use crate::clock;
use crate::journal::Service;
use crate::tokens::Caller;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::sync::{PoisonError, RwLock};

/// The services that challenge.
const SERVICES: [Service; 5] =
    [Service::KeyVault, Service::ResourceManager, Service::Blob, Service::Graph, Service::Api];

/// Claims that can be demanded: those that Entra puts into a token when it is asked to.
const CLAIMS: [&str; 3] = ["acrs", "nbf", "xms_rp_ipaddr"];

/// A demand that resource servers make of tokens, from now on. A client that said it takes challenges (`xms_cc` with
/// `CP1`) is challenged, and can ask for a token with what is demanded; any other gets a plain 401.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Challenge {
    /// Object id of the principal whose tokens it is about; everybody's, if left out.
    pub principal: Option<String>,
    /// The service that makes it: `key-vault`, `resource-manager`, `blob`, `graph` or `api`; all of them, if left out.
    pub service: Option<String>,
    /// The claims demanded, as a client has to hand them to Entra:
    /// `{"access_token": {"acrs": {"essential": true, "value": "c1"}}}`. `acrs`, `nbf` and `xms_rp_ipaddr` can be.
    /// If left out, tokens must have been issued from now on (`nbf`), as after a revocation.
    pub claims: Map<String, Value>,
}

/// What is missing of a token.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Demand {
    /// As the client has to hand it to Entra.
    claims: Value,
    /// Whether the client takes challenges.
    pub(crate) can_be_met: bool,
}

impl Demand {
    /// A demand for tokens from a time on, in seconds since 1970.
    pub(crate) fn issued_since(time: i64, can_be_met: bool) -> Self {
        Self { claims: json!({"access_token": {"nbf": {"essential": true, "value": time.to_string()}}}), can_be_met }
    }

    /// The code that Microsoft Graph gives for it.
    fn code(&self) -> &'static str {
        match self.claims["access_token"].get("nbf") {
            Some(_) => "TokenIssuedBeforeRevocationTimestamp",
            None => "TokenCreatedWithOutdatedPolicies",
        }
    }

    /// The sentence that Microsoft Graph explains it with.
    pub(crate) fn text(&self) -> String {
        format!(
            "Continuous access evaluation resulted in challenge with result: InteractionRequired and code: {}",
            self.code()
        )
    }

    /// The parameters of the challenge that say what is demanded.
    pub(crate) fn parameters(&self) -> String {
        format!("error=\"insufficient_claims\", claims=\"{}\"", STANDARD.encode(self.claims.to_string()))
    }

    /// The whole challenge, as documented for every resource.
    fn header(&self, authority: &str) -> String {
        format!(
            "Bearer realm=\"\", authorization_uri=\"https://{authority}/common/oauth2/authorize\", {}",
            self.parameters()
        )
    }

    /// A refusal that is this challenge.
    pub(crate) fn challenge(&self, refusal: Reply, authority: &str, caller: &Caller) -> Reply {
        refusal
            .header("www-authenticate", self.header(authority))
            .note(self.note())
            .principal(caller.known.shown(), &caller.audience)
    }

    /// What the journal says.
    pub(crate) fn note(&self) -> String {
        let claims = &self.claims["access_token"];
        match self.can_be_met {
            true => format!("claims challenge: {claims}"),
            false => format!("the token lacks {claims}, and its client takes no challenges (no xms_cc CP1)"),
        }
    }
}

impl Challenge {
    /// Says what is wrong with a challenge, if anything.
    pub(crate) fn check(&self) -> Result<(), String> {
        if let Some(service) = &self.service
            && SERVICES.iter().all(|known| known.name() != service)
        {
            let known: Vec<&str> = SERVICES.iter().map(|known| known.name()).collect();
            return Err(format!("`{service}` does not challenge; use one of {}", known.join(", ")));
        }
        if let Some(principal) = &self.principal
            && uuid::Uuid::try_parse(principal).is_err()
        {
            return Err(format!("`principal` is an object id, a GUID, not `{principal}`"));
        }
        if self.claims.is_empty() {
            return Ok(());
        }
        let wanted = self.claims.get("access_token").and_then(Value::as_object).filter(|_| self.claims.len() == 1);
        let wanted = wanted.ok_or("`claims` has one member, `access_token`, with the claims demanded")?;
        for (name, demand) in wanted {
            if !CLAIMS.contains(&name.as_str()) {
                return Err(format!("the claim `{name}` cannot be demanded; use one of {}", CLAIMS.join(", ")));
            }
            if values(demand).is_empty() {
                return Err(format!("the claim `{name}` needs a `value`, a text, or `values`"));
            }
            if name == "nbf" && values(demand)[0].parse::<i64>().is_err() {
                return Err("the `value` of `nbf` is a text of seconds since 1970".into());
            }
        }
        Ok(())
    }

    fn is_for(&self, service: Service, caller: &Caller) -> bool {
        self.service.as_deref().is_none_or(|name| name == service.name())
            && self.principal.as_deref().is_none_or(|id| id.eq_ignore_ascii_case(&caller.known.object_id))
    }
}

/// The challenges in force.
#[derive(Debug, Default)]
pub(crate) struct Challenges(RwLock<Vec<Challenge>>);

impl Challenges {
    /// Replaces all challenges. Those that demand nothing in particular demand tokens that are issued from now on.
    pub(crate) fn replace(&self, challenges: Vec<Challenge>) -> Result<(), String> {
        for (index, challenge) in challenges.iter().enumerate() {
            challenge.check().map_err(|message| format!("challenge {}: {message}", index + 1))?;
        }
        let complete = challenges.into_iter().map(|mut challenge| {
            if let (true, Value::Object(claims)) =
                (challenge.claims.is_empty(), Demand::issued_since(clock::now(), true).claims)
            {
                challenge.claims = claims;
            }
            challenge
        });
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = complete.collect();
        Ok(())
    }

    /// The challenges in force.
    pub(crate) fn all(&self) -> Vec<Challenge> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What a service demands of a token that has been found good, if it lacks something.
    pub(crate) fn demand(&self, service: Service, caller: &Caller) -> Option<Demand> {
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let unmet = |challenge: &&Challenge| {
            challenge.is_for(service, caller)
                && challenge
                    .claims
                    .get("access_token")
                    .and_then(Value::as_object)
                    .is_some_and(|wanted| wanted.iter().any(|(name, demand)| !has(&caller.claims, name, demand)))
        };
        let challenge = all.iter().find(unmet)?;
        Some(Demand { claims: Value::Object(challenge.claims.clone()), can_be_met: takes_challenges(&caller.claims) })
    }
}

/// Whether the client of a token said that it takes challenges.
pub(crate) fn takes_challenges(claims: &Value) -> bool {
    claims["xms_cc"]
        .as_array()
        .is_some_and(|all| all.iter().filter_map(Value::as_str).any(|one| one.eq_ignore_ascii_case("CP1")))
}

/// The values that a claim is demanded with.
fn values(demand: &Value) -> Vec<&str> {
    let several = demand["values"].as_array().into_iter().flatten();
    several.chain([&demand["value"]]).filter_map(Value::as_str).collect()
}

/// Whether a token has a claim that is demanded.
fn has(claims: &Value, name: &str, demand: &Value) -> bool {
    let wanted = values(demand);
    match name {
        "nbf" => {
            let since = wanted.first().and_then(|time| time.parse::<i64>().ok());
            since.is_none_or(|since| claims["nbf"].as_i64().is_some_and(|from| from >= since))
        }
        _ => {
            let had = match &claims[name] {
                Value::Array(all) => all.iter().filter_map(Value::as_str).collect(),
                one => one.as_str().into_iter().collect::<Vec<_>>(),
            };
            wanted.iter().any(|value| had.contains(value))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Challenge, has};
    use serde_json::json;

    #[test]
    fn a_claim_is_there_with_one_of_the_values() {
        let claims = json!({"nbf": 100, "acrs": ["c1", "c2"], "xms_rp_ipaddr": "10.0.0.4"});
        for (name, demand, expected) in [
            ("nbf", json!({"value": "100"}), true),
            ("nbf", json!({"value": "101"}), false),
            ("acrs", json!({"value": "c2"}), true),
            ("acrs", json!({"values": ["c9", "c1"]}), true),
            ("acrs", json!({"value": "c3"}), false),
            ("xms_rp_ipaddr", json!({"value": "10.0.0.4"}), true),
            ("xms_rp_ipaddr", json!({"value": "10.0.0.5"}), false),
        ] {
            assert_eq!(has(&claims, name, &demand), expected, "{name} {demand}");
        }
    }

    #[test]
    fn what_makes_no_sense_is_said() {
        let check = |value| serde_json::from_value::<Challenge>(value).expect("a challenge").check();
        assert_eq!(check(json!({})), Ok(()));
        assert_eq!(check(json!({"claims": {"access_token": {"acrs": {"value": "c1"}}}})), Ok(()));
        for (value, words) in [
            (json!({"service": "imds"}), "key-vault"),
            (json!({"principal": "ada"}), "GUID"),
            (json!({"claims": {"acrs": {"value": "c1"}}}), "access_token"),
            (json!({"claims": {"access_token": {"groups": {"value": "c1"}}}}), "groups"),
            (json!({"claims": {"access_token": {"acrs": {}}}}), "value"),
            (json!({"claims": {"access_token": {"nbf": {"value": "soon"}}}}), "seconds"),
        ] {
            let message = check(value.clone()).expect_err("refused");
            assert!(message.contains(words), "{value}: {message}");
        }
    }
}
