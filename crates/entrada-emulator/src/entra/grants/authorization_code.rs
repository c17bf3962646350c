//! Authorization codes (RFC 6749, section 4.1).

use crate::call::Reply;
use crate::clock;
use crate::entra::claims_request::ClaimsRequest;
use crate::entra::client::UserClient;
use crate::entra::scope::Asked;
use crate::entra::sign_ins::codes::Code;
use crate::entra::token::TokenRequest;
use crate::entra::user_answer::{self, Granted};
use crate::entra::{EntraError, pkce};

/// Answers a request with this grant.
pub(in crate::entra) fn answer(request: &TokenRequest<'_>) -> Result<Reply, EntraError> {
    let state = request.state;
    let client = UserClient::of(request, request.tenant)?;
    let text = request.form.required("code")?;
    let code = state.sign_ins.codes.look(text).ok_or_else(EntraError::not_ours)?;
    check(request, &client, &code)?;
    if !state.sign_ins.codes.redeem(text) {
        // Somebody has the code who should not: what it led to ends (RFC 6749, section 4.1.2).
        state.sign_ins.refresh_tokens.end_family(&code.family);
        return Err(EntraError::redeemed());
    }
    let user = state
        .directory
        .account_of(&code.person.home_object_id)
        .ok_or_else(|| EntraError::unavailable("The user has gone."))?;
    let asked = match Asked::read(&request.form, request.version)? {
        Some(asked) => asked.with_reserved_of(&code.asked),
        None => code.asked,
    };
    let granted = Granted {
        client,
        user,
        person: code.person,
        asked,
        claims: ClaimsRequest::parse(code.claims.as_deref())?,
        sign_in: code.sign_in,
        family: code.family,
        nonce: code.nonce,
    };
    user_answer::reply(request, &granted, "authorization_code")
}

/// Checks that a code is for this client, this redirect URI, this tenant and this verifier, and has not expired.
fn check(request: &TokenRequest<'_>, client: &UserClient<'_>, code: &Code) -> Result<(), EntraError> {
    let form = &request.form;
    if !code.client_id.eq_ignore_ascii_case(&client.app.client_id) {
        return Err(EntraError::of_another_client());
    }
    if request.tenant.is_some_and(|tenant| tenant.id != code.person.tenant) {
        return Err(EntraError::grant(
            700_005,
            "Provided Authorization Code is intended to use against other tenant, thus rejected. OAuth2 Authorization Code must be redeemed against same tenant it was acquired for (/common or /{tenant-ID} as appropriate)",
        ));
    }
    let redirect_uri = form.required("redirect_uri")?;
    if redirect_uri != code.redirect_uri {
        let shown: String = redirect_uri.chars().take(200).collect();
        return Err(EntraError::grant(
            500_112,
            format!(
                "The reply address '{shown}' does not match the reply address '{}' provided when requesting Authorization code.",
                code.redirect_uri
            ),
        ));
    }
    pkce::check(code.challenge.as_ref(), form.value("code_verifier"))?;
    let lifetime = i64::from(request.state.sign_ins.lifetimes.authorization_code);
    if clock::now() >= code.issued.saturating_add(lifetime) {
        return Err(EntraError::grant(
            70_008,
            "The provided authorization code or refresh token has expired due to inactivity. Send a new interactive authorization request for this user and resource.",
        ));
    }
    Ok(())
}
