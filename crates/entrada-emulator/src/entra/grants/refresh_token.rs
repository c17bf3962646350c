//! Refresh tokens (RFC 6749, section 6).

use crate::call::Reply;
use crate::clock;
use crate::entra::claims_request::ClaimsRequest;
use crate::entra::client::UserClient;
use crate::entra::scope::Asked;
use crate::entra::sign_ins::refresh_tokens::RefreshToken;
use crate::entra::token::TokenRequest;
use crate::entra::user_answer::{self, Granted};
use crate::entra::{EntraError, policy};

/// Answers a request with this grant.
pub(in crate::entra) fn answer(request: &TokenRequest<'_>) -> Result<Reply, EntraError> {
    let state = request.state;
    let client = UserClient::of(request, request.tenant)?;
    let text = request.form.required("refresh_token")?;
    let token = state.sign_ins.refresh_tokens.open(text).ok_or_else(EntraError::not_ours)?;
    let is_family =
        |client_id: &str| state.directory.client_app(client_id).is_some_and(|app| state.directory.is_first_party(app));
    let is_its = token.client_id.eq_ignore_ascii_case(&client.app.client_id)
        || (is_family(&token.client_id) && is_family(&client.app.client_id));
    if !is_its {
        return Err(EntraError::of_another_client());
    }
    check_validity(request, &token)?;
    let user = state
        .directory
        .anybody_with(&token.user)
        .ok_or_else(|| EntraError::grant(50_034, "The user account {EUII Hidden} does not exist in the directory."))?;
    let tenant = match request.tenant {
        Some(tenant) => tenant,
        None => state
            .directory
            .tenant(&token.tenant)
            .ok_or_else(|| EntraError::unavailable("The tenant of the refresh token has gone."))?,
    };
    let person = policy::in_tenant(&user, tenant, client.app)?;
    let earlier = Asked::scopes(&token.scope)?;
    let asked = match Asked::read(&request.form, request.version)? {
        Some(asked) => asked.with_reserved_of(&earlier),
        None => earlier,
    };
    let granted = Granted {
        client,
        user: &user,
        person,
        asked,
        claims: ClaimsRequest::default(),
        sign_in: token.sign_in(),
        family: token.family.clone(),
        nonce: None,
    };
    user_answer::reply(request, &granted, "refresh_token")
}

/// Checks that nothing has ended a token.
fn check_validity(request: &TokenRequest<'_>, token: &RefreshToken) -> Result<(), EntraError> {
    let sign_ins = &request.state.sign_ins;
    let issued = clock::iso_time(token.issued);
    if let Some(revoked) = sign_ins.accounts.revoked(&token.user, token.sign_in().order) {
        return Err(EntraError::grant(
            50_173,
            format!(
                "The provided grant has expired due to it being revoked, a fresh auth token is needed. The user might have changed or reset their password. The grant was issued on '{issued}' and the TokensValidFrom date (before which tokens are not valid) for this user is '{}'.",
                clock::iso_time(revoked.at)
            ),
        )
        .with("bad_token"));
    }
    if sign_ins.refresh_tokens.has_ended(&token.family) {
        // Of the families of tokens that a replayed code leads to, no public document tells the number.
        return Err(EntraError::grant(
            70_000,
            "Provided grant is invalid or malformed. The authorization code that this refresh token came from was redeemed twice.",
        )
        .with("bad_token"));
    }
    if clock::now() >= token.issued.saturating_add(i64::from(sign_ins.lifetimes.refresh_token)) {
        return Err(EntraError::grant(
            700_082,
            format!(
                "The refresh token has expired due to inactivity. The token was issued on {issued} and was inactive for {}.00:00:00.",
                sign_ins.lifetimes.refresh_token / 86_400
            ),
        )
        .with("token_expired"));
    }
    Ok(())
}
