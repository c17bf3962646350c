//! The answers of Entra's token endpoint.

use zeroize::Zeroizing;

use super::{check, machine};
use crate::credentials::EntraOptions;
use crate::deadline::Deadline;
use crate::entra::{Client, Grant, LIMIT, Proof};
use crate::error::Error;
use crate::platform::HttpResponse;
use crate::platform::scripted::Scripted;
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
    let machine = Scripted::new(&[]).always(answer.clone());
    let client = client(&machine, Proof::Secret(Zeroizing::new(SECRET.into())));
    let outcome = ask(&machine, &client, &Grant::OnBehalfOf(ASSERTION));
    if let Err(error) = &outcome {
        check::error(error, said, &machine::shown(&machine, &[SECRET, ASSERTION]));
    }
    outcome.is_ok()
}

/// An app on a machine.
pub(super) fn client(machine: &Scripted, proof: Proof) -> Client {
    let options = EntraOptions { platform: Some(machine.platform.clone()), ..EntraOptions::default() };
    Client::new("contoso.onmicrosoft.com", "c-1", proof, &options).expect("a client")
}

/// Redeems a grant; what comes of it is usable.
pub(super) fn ask(machine: &Scripted, client: &Client, grant: &Grant<'_>) -> Result<(), Error> {
    let request = TokenRequest::new(["https://vault.azure.net/.default"]);
    let clock = machine.platform.clock();
    let granted = machine::now(client.redeem(&request, grant, Deadline::after(clock, LIMIT)))?;
    check::fetched(&granted.fetched, clock);
    for token in [&granted.refresh_token, &granted.id_token].into_iter().flatten() {
        assert!(!token.is_empty(), "an empty token beside the token");
    }
    Ok(())
}
