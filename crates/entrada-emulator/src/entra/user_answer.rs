//! The answer to a grant in a user's name: an access token, and what was asked for with it.

use super::EntraError;
use super::claims_request::ClaimsRequest;
use super::client::UserClient;
use super::policy;
use super::scope::Asked;
use super::sign_ins::refresh_tokens::RefreshToken;
use super::token::{self, TokenRequest};
use crate::call::Reply;
use crate::clock;
use crate::config::User;
use crate::first_party;
use crate::people::Person;
use crate::tokens::USER_LIFETIME;
use crate::user_tokens::{self, CAE_LIFETIME, SignIn, Wanted};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// What has been granted: who signed in, to what, for what.
pub(super) struct Granted<'a> {
    pub(super) client: UserClient<'a>,
    pub(super) user: &'a User,
    pub(super) person: Person,
    pub(super) asked: Asked,
    /// Claims of an earlier request that led to this one.
    pub(super) claims: ClaimsRequest,
    pub(super) sign_in: SignIn,
    /// The family of the refresh token.
    pub(super) family: String,
    pub(super) nonce: Option<String>,
}

/// Checks the policies, and answers.
pub(super) fn reply(
    request: &TokenRequest<'_>,
    granted: &Granted<'_>,
    grant: &'static str,
) -> Result<Reply, EntraError> {
    let Granted { client, user, person, asked, sign_in, .. } = granted;
    let state = request.state;
    let unsigned = || EntraError::unavailable("The token could not be signed.");
    let tenant = state
        .directory
        .tenant(&person.tenant)
        .ok_or_else(|| EntraError::unavailable("The tenant of the sign-in has gone."))?;
    let wanted = asked.in_tenant(state, tenant)?;
    let claims = ClaimsRequest::parse(request.form.value("claims"))?.or(granted.claims.clone());
    policy::check_token(state, user, sign_in, &claims.contexts, &wanted.audience.value)?;
    policy::check_consent(state, client.app, user, &wanted)?;
    let lifetime = request.lifetime(if claims.takes_challenges { CAE_LIFETIME } else { USER_LIFETIME });
    let token = Wanted {
        person,
        client_id: &client.app.client_id,
        proof: client.proof,
        audience: &wanted.audience,
        scopes: &wanted.permissions,
        sign_in,
        claims: &claims,
        lifetime,
    };
    let issued = user_tokens::issue(request.key, &state.directory, &token).ok_or_else(unsigned)?;
    let mut fields = token::fields(request, issued, lifetime);
    let mut add = |name: &str, value: String| fields.insert(name.to_owned(), value.into());
    add("scope", if request.version == 1 { wanted.permissions.join(" ") } else { wanted.scope });
    if request.version == 1 && request.form.value("resource").is_none() {
        add("resource", wanted.audience.value.clone());
    }
    if asked.has("offline_access") {
        let token = RefreshToken::new(
            &user.object_id,
            &client.app.client_id,
            &person.tenant,
            asked.text(),
            sign_in,
            &granted.family,
            clock::now(),
        );
        add("refresh_token", state.sign_ins.refresh_tokens.seal(&token).ok_or_else(unsigned)?);
        if state.directory.is_first_party(client.app) {
            add("foci", first_party::FAMILY.to_owned());
        }
    }
    if asked.has("openid") {
        let id_token = user_tokens::issue_id_token(
            request.key,
            &state.directory,
            person,
            &client.app.client_id,
            sign_in,
            granted.nonce.as_deref(),
            request.version,
        );
        add("id_token", id_token.ok_or_else(unsigned)?);
    }
    if request.form.value("client_info") == Some("1") {
        add("client_info", URL_SAFE_NO_PAD.encode(person.client_info()));
    }
    let principal = person.shown(&client.app.client_id);
    Ok(token::reply(request, fields, grant).principal(principal, &wanted.audience.value))
}
