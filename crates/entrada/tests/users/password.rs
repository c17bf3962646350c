//! Signing in with a name and a password.

use std::sync::Arc;

use entrada::{Outcome, UsernamePasswordCredential, UsernamePasswordCredentialOptions};
use entrada_emulator::world;

use crate::machine::{MANAGEMENT, Machine, VAULT, claim, code, token};

fn credential(machine: &Machine, client_id: &str, user: &str, password: &str) -> Arc<UsernamePasswordCredential> {
    let options =
        UsernamePasswordCredentialOptions { tenant_id: Some(world::TENANT_ID.into()), entra: machine.options() };
    let password = password.to_owned().into();
    UsernamePasswordCredential::new(client_id.into(), user, password, Some(options)).expect("valid")
}

#[tokio::test]
async fn a_password_is_shown_once() {
    let machine = Machine::of(None).await;
    let ada = credential(&machine, world::CLI_CLIENT_ID, world::USER_NAME, world::USER_PASSWORD);
    let vault = token(&*ada, VAULT).await.expect("a token");
    assert_eq!(claim(&vault, "oid"), world::USER_OBJECT_ID);
    token(&*ada, MANAGEMENT).await.expect("a token");
    let grants = |name: &str| {
        let entries = machine.emulator.journal().entries();
        entries.iter().filter(|entry| entry.grant.as_deref() == Some(name)).count()
    };
    assert_eq!((grants("password"), grants("refresh_token")), (1, 1));
    let record = ada.authenticate(None).await.expect("a record");
    assert_eq!((record.username(), record.client_id()), (world::USER_NAME, world::CLI_CLIENT_ID));
    // Who has another password has nothing of Ada's.
    let eve = credential(&machine, world::CLI_CLIENT_ID, world::USER_NAME, "guessed");
    let error = token(&*eve, VAULT).await.expect_err("wrong");
    assert_eq!(code(&error), "AADSTS50126", "{error}");
    assert!(!error.to_string().contains("guessed"), "{error}");
}

#[tokio::test]
async fn a_changed_password_ends_what_the_old_one_began() {
    let machine = Machine::of(None).await;
    let ada = credential(&machine, world::CLI_CLIENT_ID, world::USER_NAME, world::USER_PASSWORD);
    token(&*ada, VAULT).await.expect("a token");
    machine.emulator.set_password(world::USER_NAME, "another").expect("a user");
    let error = token(&*ada, MANAGEMENT).await.expect_err("the old password");
    assert_eq!(code(&error), "AADSTS50126", "{error}");
    let ada = credential(&machine, world::CLI_CLIENT_ID, world::USER_NAME, "another");
    token(&*ada, MANAGEMENT).await.expect("a token");
}

#[tokio::test]
async fn what_a_password_cannot_do_is_named() {
    let machine = Machine::of(None).await;
    for (client, user, expected, words) in [
        (world::CLI_CLIENT_ID, world::MFA_USER_NAME, "AADSTS50076", "MFA"),
        (world::CLI_CLIENT_ID, world::REGISTER_MFA_USER_NAME, "AADSTS50079", "MFA"),
        (world::CLI_CLIENT_ID, world::BLOCKED_USER_NAME, "AADSTS53003", "conditional access"),
        (world::CLI_CLIENT_ID, world::EXPIRED_PASSWORD_USER_NAME, "AADSTS50055", "password"),
        (world::CLI_CLIENT_ID, world::DISABLED_USER_NAME, "AADSTS50057", "disabled"),
        (world::CLI_CLIENT_ID, world::LOCKED_USER_NAME, "AADSTS50053", "locked"),
        (world::CLI_CLIENT_ID, "nobody@contoso.onmicrosoft.com", "AADSTS50034", "account"),
        (world::PORTAL_CLIENT_ID, world::MFA_USER_NAME, "AADSTS7000218", "secret"),
    ] {
        let error =
            token(&*credential(&machine, client, user, world::USERS_PASSWORD), VAULT).await.expect_err(expected);
        assert_eq!(code(&error), expected, "{error}");
        assert!(error.to_string().contains(words) && error.remedy().is_some(), "{words}: {error}");
        assert!(!error.to_string().contains(world::USERS_PASSWORD), "{error}");
    }
    let unconsented = credential(&machine, world::UNCONSENTED_CLIENT_ID, world::USER_NAME, world::USER_PASSWORD);
    let error = token(&*unconsented, VAULT).await.expect_err("no consent");
    assert_eq!((code(&error), error.outcome()), ("AADSTS65001", Outcome::InteractionRequired), "{error}");
    machine.emulator.give_consent(world::UNCONSENTED_CLIENT_ID, Some(world::USER_NAME)).expect("an app");
    token(&*unconsented, VAULT).await.expect("consented to");
}
