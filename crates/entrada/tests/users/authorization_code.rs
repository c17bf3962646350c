//! A web app that sends people to sign in by itself.

use std::sync::Arc;

use entrada::{AuthorizationCodeCredential, AuthorizationCodeCredentialOptions, EntraOptions, Outcome};
use entrada_emulator::world;

use crate::machine::{MANAGEMENT, Machine, VAULT, claim, code, token};

/// RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// The code that a person comes back with.
async fn come_back(machine: &Machine, more: &[(&str, &str)]) -> String {
    let mut parameters = vec![
        ("client_id", world::PORTAL_CLIENT_ID),
        ("redirect_uri", world::PORTAL_REDIRECT_URI),
        ("scope", "openid offline_access https://vault.azure.net/.default"),
        ("state", "s-1"),
    ];
    parameters.extend(more);
    let back = machine.authorize(&parameters).await;
    assert_eq!(back["state"], "s-1");
    back.get("code").unwrap_or_else(|| panic!("{back:?}")).clone()
}

fn credential(
    entra: EntraOptions,
    code: &str,
    secret: &str,
    verifier: Option<&str>,
) -> Arc<AuthorizationCodeCredential> {
    let options = AuthorizationCodeCredentialOptions {
        client_secret: Some(secret.to_owned().into()),
        code_verifier: verifier.map(|verifier| verifier.to_owned().into()),
        entra,
        ..Default::default()
    };
    let (client, code) = (world::PORTAL_CLIENT_ID.into(), code.to_owned().into());
    AuthorizationCodeCredential::new(world::TENANT_ID, client, code, world::PORTAL_REDIRECT_URI, Some(options))
        .expect("valid")
}

#[tokio::test]
async fn a_code_is_good_for_all_that_the_app_needs_until_somebody_replays_it() {
    let machine = Machine::of(Some(world::USER_NAME)).await;
    let came_with = come_back(&machine, &[]).await;
    let portal = credential(machine.options(), &came_with, world::PORTAL_SECRET, None);
    let vault = token(&*portal, VAULT).await.expect("a token");
    assert_eq!(claim(&vault, "oid"), world::USER_OBJECT_ID);
    assert_eq!(claim(&vault, "appid"), world::PORTAL_CLIENT_ID);
    // Another object for the same code goes on with the same sign-in.
    let again = credential(machine.options(), &came_with, world::PORTAL_SECRET, None);
    token(&*again, MANAGEMENT).await.expect("a token");
    // Another process has but the code, which is good for one exchange.
    let replayed = credential(machine.elsewhere(), &came_with, world::PORTAL_SECRET, None);
    let error = token(&*replayed, VAULT).await.expect_err("replayed");
    assert_eq!((code(&error), error.outcome()), ("AADSTS54005", Outcome::InteractionRequired), "{error}");
    assert!(error.remedy().is_some_and(|next| next.contains("sign in again")), "{error}");
    assert!(!error.to_string().contains(&came_with), "{error}");
    // A replay ends what the code began, for somebody may have stolen it.
    let error = token(&*portal, &format!("{}/.default", world::API_URI)).await.expect_err("revoked");
    assert_eq!(error.outcome(), Outcome::InteractionRequired, "{error}");
    assert!(error.remedy().is_some_and(|next| next.contains("sign in again")), "{error}");
}

#[tokio::test]
async fn a_proof_key_is_proven() {
    let machine = Machine::of(Some(world::USER_NAME)).await;
    let challenge = [("code_challenge", CHALLENGE), ("code_challenge_method", "S256")];
    let came_with = come_back(&machine, &challenge).await;
    let portal = credential(machine.options(), &came_with, world::PORTAL_SECRET, Some(VERIFIER));
    token(&*portal, VAULT).await.expect("a token");
    let came_with = come_back(&machine, &challenge).await;
    let other = VERIFIER.replace('d', "e");
    let thief = credential(machine.options(), &came_with, world::PORTAL_SECRET, Some(&other));
    let error = token(&*thief, VAULT).await.expect_err("another verifier");
    assert_eq!(code(&error), "AADSTS501481", "{error}");
    assert!(!error.to_string().contains(&other), "{error}");
}

#[tokio::test]
async fn a_wrong_secret_is_said_to_be_so_and_costs_no_code() {
    let machine = Machine::of(Some(world::USER_NAME)).await;
    let came_with = come_back(&machine, &[]).await;
    let wrong = credential(machine.options(), &came_with, "portal~wrong.secret", None);
    let error = token(&*wrong, VAULT).await.expect_err("a wrong secret");
    assert_eq!(code(&error), "AADSTS7000215", "{error}");
    let right = credential(machine.options(), &came_with, world::PORTAL_SECRET, None);
    token(&*right, VAULT).await.expect("a token");
}
