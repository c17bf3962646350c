//! An API that goes on as the users who call it.

use std::sync::Arc;

use entrada::{Error, OnBehalfOfCredential, OnBehalfOfCredentialOptions, Outcome, Token, TokenRequest};
use entrada_emulator::config::Mfa;
use entrada_emulator::{Host, Service, UserTokenWish, world};
use futures::future::join_all;

use crate::machine::{Machine, whose};

const VAULT: &str = "https://vault.azure.net/.default";
const STORAGE: &str = "https://storage.azure.com/.default";

fn options(machine: &Machine) -> Option<OnBehalfOfCredentialOptions> {
    Some(OnBehalfOfCredentialOptions { entra: machine.options(), ..Default::default() })
}

fn api(machine: &Machine) -> Arc<OnBehalfOfCredential> {
    let (client_id, secret) = (world::API_CLIENT_ID.into(), world::API_SECRET.into());
    OnBehalfOfCredential::with_secret(world::TENANT_ID, client_id, secret, options(machine)).expect("valid")
}

fn assertion(machine: &Machine, wish: UserTokenWish) -> String {
    machine.emulator.issue_user_token(&wish).expect("a user's token")
}

fn ada(machine: &Machine) -> String {
    assertion(machine, UserTokenWish::default())
}

async fn token(api: &OnBehalfOfCredential, assertion: &str, scope: &str) -> Result<Arc<Token>, Error> {
    api.token_for(assertion, &TokenRequest::new([scope])).await
}

/// By which grants Entra was asked.
fn grants(machine: &Machine) -> Vec<String> {
    machine.emulator.journal().entries().into_iter().filter_map(|entry| entry.grant).collect()
}

#[tokio::test]
async fn the_api_proves_itself_by_secret_or_certificate() {
    let machine = Machine::on(Host::Laptop).await;
    let files = machine.emulator.certificate().expect("written");
    let client_id = || world::API_CLIENT_ID.to_owned();
    let by_certificate =
        OnBehalfOfCredential::with_certificate_path(world::TENANT_ID, client_id(), &files.pem, options(&machine));
    for api in [api(&machine), by_certificate.expect("valid")] {
        let token = token(&api, &ada(&machine), VAULT).await.expect("a token");
        assert_eq!(whose(&token), world::USER_OBJECT_ID);
    }
    let wrong = OnBehalfOfCredential::with_secret(world::TENANT_ID, client_id(), "guess".into(), options(&machine));
    let error = token(&wrong.expect("valid"), &ada(&machine), VAULT).await.expect_err("a wrong secret");
    assert_eq!(error.outcome(), Outcome::Failed);
    assert!(error.to_string().contains("AADSTS7000215"), "{error}");
}

#[tokio::test]
async fn every_user_of_many_gets_their_own_token() {
    let machine = Machine::on(Host::Laptop).await;
    let api = api(&machine);
    let of_user = |number| assertion(&machine, UserTokenWish { user: world::crowd_user(number), ..Default::default() });
    let assertions: Vec<String> = (0..40).map(of_user).collect();
    for _ in 0..2 {
        let tokens = join_all(assertions.iter().map(|assertion| token(&api, assertion, VAULT))).await;
        for (number, token) in (0..).zip(tokens) {
            assert_eq!(whose(&token.expect("a token")), world::crowd_object_id(number));
        }
    }
    assert_eq!(machine.requests(Service::Entra), 40, "the second time they are at hand");
}

#[tokio::test]
async fn what_a_user_must_do_is_told_with_claims() {
    let machine = Machine::on(Host::Laptop).await;
    let api = api(&machine);
    machine.emulator.remove_consent(world::API_CLIENT_ID, None).expect("known");
    let error = token(&api, &ada(&machine), VAULT).await.expect_err("no consent");
    assert_eq!(error.outcome(), Outcome::InteractionRequired);
    assert!(error.to_string().contains("AADSTS65001"), "{error}");
    machine.emulator.give_consent(world::API_CLIENT_ID, None).expect("known");

    machine.emulator.set_mfa(world::USER_NAME, Mfa::Required).expect("known");
    let error = token(&api, &ada(&machine), VAULT).await.expect_err("no second proof");
    assert_eq!(error.outcome(), Outcome::InteractionRequired);
    assert!(error.to_string().contains("AADSTS50076"), "{error}");
    let claims: serde_json::Value = serde_json::from_str(error.claims().expect("claims")).expect("JSON");
    assert!(claims["access_token"].is_object());
    let with_mfa = assertion(&machine, UserTokenWish { mfa: true, ..Default::default() });
    token(&api, &with_mfa, VAULT).await.expect("the user has shown it");
}

#[tokio::test]
async fn another_token_comes_by_refresh_token_until_that_is_revoked() {
    let machine = Machine::on(Host::Laptop).await;
    let (api, user) = (api(&machine), ada(&machine));
    token(&api, &user, VAULT).await.expect("by assertion");
    assert_eq!(whose(&token(&api, &user, STORAGE).await.expect("by refresh token")), world::USER_OBJECT_ID);
    assert_eq!(grants(&machine), ["on_behalf_of", "refresh_token"]);
    machine.emulator.revoke_sessions(world::USER_NAME).expect("known");
    let error = token(&api, &user, "https://management.azure.com/.default").await.expect_err("revoked");
    let text = error.to_string();
    assert!(text.contains("AADSTS50173") && text.contains("before that the refresh token was refused"), "{text}");
    assert_eq!(error.outcome(), Outcome::InteractionRequired);
    assert!(!text.contains(&user));
    token(&api, &ada(&machine), VAULT).await.expect("who signs in again");
}

#[tokio::test]
async fn assertions_that_will_not_do_are_refused() {
    let machine = Machine::on(Host::Laptop).await;
    let api = api(&machine);
    let expired =
        |expires_in| assertion(&machine, UserTokenWish { expires_in: Some(expires_in), ..Default::default() });
    let error = token(&api, &expired(-3600), VAULT).await.expect_err("long expired").to_string();
    assert!(error.contains("the user assertion expired at"), "{error}");
    assert_eq!(machine.requests(Service::Entra), 0);
    let error = token(&api, &expired(-60), VAULT).await.expect_err("just expired").to_string();
    assert!(error.contains("AADSTS500133"), "{error}");
    let for_vault = assertion(&machine, UserTokenWish { scope: VAULT.into(), ..Default::default() });
    let error = token(&api, &for_vault, VAULT).await.expect_err("not for this API").to_string();
    assert!(error.contains("AADSTS500131"), "{error}");
}
