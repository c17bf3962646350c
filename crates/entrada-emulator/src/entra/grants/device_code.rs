//! Device codes: a client polls until a person has signed in elsewhere (RFC 8628, section 3.4).

use crate::call::Reply;
use crate::clock;
use crate::entra::claims_request::ClaimsRequest;
use crate::entra::client::UserClient;
use crate::entra::sign_ins::device_codes::{DeviceCode, Poll, Stage};
use crate::entra::sign_ins::secret_text;
use crate::entra::token::TokenRequest;
use crate::entra::user_answer::{self, Granted};
use crate::entra::{EntraError, policy, robot};
use crate::user_tokens::SignIn;

/// Answers a request with this grant.
pub(in crate::entra) fn answer(request: &TokenRequest<'_>) -> Result<Reply, EntraError> {
    let state = request.state;
    let client = UserClient::of(request, request.tenant)?;
    // v1 calls it `code`; clients send either, or both.
    let text = request.form.value("device_code").or_else(|| request.form.value("code"));
    let text = text.ok_or_else(|| EntraError::missing("device_code"))?;
    let codes = &state.sign_ins.device_codes;
    // The robot is not slower for being asked often.
    let interval = if state.sign_ins.robot().is_some() { 0 } else { state.sign_ins.lifetimes.device_code_interval };
    let interval = u64::from(interval) * 1_000;
    let (code, again) = match codes.poll(text, clock::now_millis(), interval) {
        Poll::Is(code, again) => (code, again),
        // The number that goes with it is in no public document.
        Poll::Unknown => {
            return Err(EntraError::new(400, 70_018, "bad_verification_code", "The device code is not valid."));
        }
        Poll::TooFast => return Err(too_fast()),
    };
    if !code.client_id.eq_ignore_ascii_case(&client.app.client_id) {
        return Err(EntraError::of_another_client());
    }
    if clock::now() >= code.expires {
        return Err(EntraError::new(
            400,
            70_020,
            "expired_token",
            "The provided value for the input parameter 'device_code' is not valid. This device code has expired.",
        ));
    }
    let stage = match &code.stage {
        // The robot takes as long as a person would: a client sees the first poll pending.
        Stage::Pending if again => robot::decide(state, client.app, &code)?.unwrap_or(Stage::Pending),
        stage => stage.clone(),
    };
    match stage {
        Stage::Pending => Err(EntraError::new(
            400,
            70_016,
            "authorization_pending",
            "OAuth 2.0 device flow error. Authorization is pending. Continue polling.",
        )),
        // The name is documented, the number is not.
        Stage::Declined => Err(EntraError::new(
            400,
            70_017,
            "authorization_declined",
            "The end user has denied the authorization request.",
        )),
        Stage::Redeemed => Err(EntraError::redeemed()),
        Stage::Approved { user, sign_in } => {
            if !codes.redeem(text) {
                return Err(EntraError::redeemed());
            }
            grant(request, client, *code, &user, sign_in)
        }
    }
}

fn grant(
    request: &TokenRequest<'_>,
    client: UserClient<'_>,
    code: DeviceCode,
    user: &str,
    sign_in: SignIn,
) -> Result<Reply, EntraError> {
    let directory = &request.state.directory;
    let user = directory.account_of(user).ok_or_else(|| EntraError::unavailable("The user has gone."))?;
    let tenant = directory
        .tenant(code.tenant.as_deref().unwrap_or(&user.tenant))
        .ok_or_else(|| EntraError::unavailable("The tenant has gone."))?;
    let granted = Granted {
        person: policy::in_tenant(user, tenant, client.app)?,
        client,
        user,
        asked: code.asked,
        claims: ClaimsRequest::parse(code.claims.as_deref())?,
        sign_in,
        family: secret_text(),
        nonce: None,
    };
    user_answer::reply(request, &granted, "device_code")
}

/// RFC 8628 has it; which number goes with it is in no public document.
fn too_fast() -> EntraError {
    EntraError::new(400, 70_016, "slow_down", "Polling too fast. Wait for the interval, and five seconds more.")
}
