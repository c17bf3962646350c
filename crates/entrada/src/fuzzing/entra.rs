//! The answers of Entra's token endpoint.

use zeroize::Zeroizing;

use super::{check, machine};
use crate::credentials::EntraOptions;
use crate::deadline::Deadline;
use crate::entra::{Client, Grant, LIMIT, Proof};
use crate::platform::HttpResponse;
use crate::token::TokenRequest;

const SECRET: &str = "K8s~q.Xv3Lw0Zt7Rb5Yn";
const ASSERTION: &str = "e30.Jq2Wm9Vx4Ct6Hp1D.Fz8Sg3Nk5Ub7";

/// A success: the token in it is usable, or the error says nothing secret.
pub fn token_response(data: &[u8]) {
    let mut answer = machine::answer(data);
    answer.status = 200;
    redeem(&answer, data);
}

/// A refusal, in Entra's JSON or not: no token comes of it, and the error says nothing that was shown, even where the
/// answer repeats it.
pub fn error_body(data: &[u8]) {
    let mut answer = machine::answer(data);
    if answer.status == 200 {
        answer.status = 400;
    }
    assert!(!redeem(&answer, data), "a token out of a refusal");
}

/// Asks on behalf of a user, with a secret; whether there was a token.
fn redeem(answer: &HttpResponse, said: &[u8]) -> bool {
    let machine = machine::answering(&[], answer);
    let options = EntraOptions { platform: Some(machine.platform.clone()), ..EntraOptions::default() };
    let client = Client::new("contoso.onmicrosoft.com", "c-1", Proof::Secret(Zeroizing::new(SECRET.into())), &options)
        .expect("a client");
    let request = TokenRequest::new(["https://vault.azure.net/.default"]);
    let clock = machine.platform.clock();
    let deadline = Deadline::after(clock, LIMIT);
    match machine::now(client.redeem(&request, &Grant::OnBehalfOf(ASSERTION), deadline)) {
        Ok(granted) => {
            check::fetched(&granted.fetched, clock);
            assert!(granted.refresh_token.as_ref().is_none_or(|token| !token.is_empty()), "an empty refresh token");
            assert!(granted.id_token.as_ref().is_none_or(|token| !token.is_empty()), "an empty id token");
            true
        }
        Err(error) => {
            check::error(&error, said, &[SECRET, ASSERTION]);
            false
        }
    }
}
