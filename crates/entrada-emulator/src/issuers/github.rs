//! GitHub Actions: the address from which a job gets tokens that speak of it
//! (<https://docs.github.com/actions/reference/security/oidc>).

use super::claims;
use crate::call::{Call, Reply};
use crate::state::State;
use crate::tokens::SigningKey;
use serde_json::json;

/// Host of the runner's service.
pub(crate) const HOST: &str = "run-actions-1-azure-eastus.actions.githubusercontent.com";

/// Path of the address.
const PATH: &str = "/4//idtoken/6f0a7e3a-0000-4000-8000-000000000001/ca395085-0000-4000-8000-000000000001";

/// How long a token is good, in seconds.
const LIFETIME: i64 = 300;

/// How far a token is dated back, in seconds.
const BACKDATED: i64 = 600;

/// Longest audience, in characters: a bound of ours.
const LONGEST_AUDIENCE: usize = 1_000;

/// The value of `ACTIONS_ID_TOKEN_REQUEST_URL`.
pub(crate) fn request_url() -> String {
    format!("https://{HOST}{PATH}?api-version=2.0")
}

/// Answers a request to the runner's service.
pub(crate) fn answer(state: &State, key: &SigningKey, call: &Call) -> Reply {
    if call.path != PATH {
        return refusal(404, "The requested resource was not found");
    }
    if call.method != http::Method::GET {
        return refusal(405, "The requested resource does not support this method").header("allow", "GET");
    }
    if call.bearer() != Some(&state.runner_tokens.github) {
        return refusal(401, "The bearer token is missing, or not that of ACTIONS_ID_TOKEN_REQUEST_TOKEN");
    }
    let settings = &state.directory.config.github;
    let owner = settings.repository.split('/').next().unwrap_or_default();
    let audience = call.parameter("audience").map_or_else(|| format!("https://github.com/{owner}"), str::to_owned);
    if audience.is_empty() || audience.len() > LONGEST_AUDIENCE {
        return refusal(400, "The audience is empty or too long");
    }
    let lifetime = call.token_shape.as_ref().and_then(|shape| shape.expires_in).unwrap_or(LIFETIME);
    let mut claims = claims(&settings.issuer, &settings.subject(), &audience, lifetime);
    claims["nbf"] = claims["iat"].as_i64().unwrap_or_default().saturating_sub(BACKDATED).into();
    let workflow = format!("{}/.github/workflows/deploy.yml@{}", settings.repository, settings.reference);
    for (name, value) in [
        ("ref", settings.reference.as_str()),
        ("sha", "4f0c6a1e5c3d2b1a09f8e7d6c5b4a39281706f5e"),
        ("repository", &settings.repository),
        ("repository_owner", owner),
        ("repository_owner_id", "65"),
        ("repository_id", "74"),
        ("repository_visibility", "private"),
        ("run_id", "1000000001"),
        ("run_number", "10"),
        ("run_attempt", "1"),
        ("actor", "ada"),
        ("actor_id", "12"),
        ("workflow", "deploy"),
        ("workflow_ref", &workflow),
        ("job_workflow_ref", &workflow),
        ("head_ref", ""),
        ("base_ref", ""),
        ("event_name", "push"),
        ("ref_type", "branch"),
        ("ref_protected", "false"),
        ("runner_environment", "github-hosted"),
    ] {
        claims[name] = value.into();
    }
    if let Some(environment) = &settings.environment {
        claims["environment"] = environment.as_str().into();
    }
    match key.sign_as(&settings.issuer, &claims) {
        Some(token) => {
            let count = token.len();
            let mut reply = Reply::json(200, &json!({"count": count, "value": token}));
            reply.trail.audience = Some(audience);
            reply
        }
        None => refusal(500, "The token could not be signed"),
    }
}

/// A refusal. No public document shows the body of one.
fn refusal(status: u16, message: &str) -> Reply {
    Reply::json(status, &json!({"message": message})).note(message)
}
