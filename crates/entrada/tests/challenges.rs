//! The official clients answer the challenges of their resources, with no change to them but a policy in their options.

#[path = "challenges/azure.rs"]
mod azure;
#[path = "challenges/emulated.rs"]
mod emulated;

use std::sync::Arc;

use azure::{Azure, CLAIMS, HOME, OTHER};
use azure_core::http::{RequestContent, StatusCode};
use entrada::ChallengePolicyOptions;

#[tokio::test]
async fn a_vault_of_another_tenant_is_read_with_its_own_tenants_token() {
    let azure = Azure::new(OTHER);
    let client = azure.secrets(&["*"], Some(Default::default()));
    for _ in 0..2 {
        let secret = client.get_secret("s", None).await.expect("a secret").into_model().expect("JSON");
        assert_eq!(secret.value.as_deref(), Some("hunter2"));
    }
    assert_eq!(azure.tenants_asked(), [OTHER], "the home tenant need not be asked, and the other one once");
    assert_eq!(azure.resource_saw(), [None, Some("t-other-cae-1"), Some("t-other-cae-1")]);
}

#[tokio::test]
async fn a_tenant_that_is_not_allowed_is_not_asked() {
    let azure = Azure::new(OTHER);
    let error = azure.secrets(&[], Some(Default::default())).get_secret("s", None).await.expect_err("not allowed");
    let text = azure::innermost(&error);
    assert!(text.contains(OTHER) && text.contains(HOME) && text.contains("additionally_allowed_tenants"), "{text}");
    assert!(azure.tenants_asked().is_empty());
    assert_eq!(azure.resource_saw(), [None]);
}

#[tokio::test]
async fn tenants_of_others_are_not_listened_to() {
    let azure = Azure::new(OTHER).whose_challenge_names("https://login.evil.test");
    let refused = azure.secrets(&["*"], Some(Default::default())).get_secret("s", None).await.expect_err("refused");
    assert_eq!(refused.http_status(), Some(StatusCode::Unauthorized));
    let azure_alone = Azure::new(OTHER);
    let options = ChallengePolicyOptions { disable_tenant_discovery: true, ..Default::default() };
    azure_alone.secrets(&["*"], Some(options)).get_secret("s", None).await.expect_err("refused");
    for azure in [azure, azure_alone] {
        assert_eq!(azure.tenants_asked(), [HOME]);
    }
}

#[tokio::test]
async fn a_vault_that_demands_claims_gets_them() {
    let azure = Azure::new(HOME);
    let client = azure.secrets(&[], Some(Default::default()));
    client.get_secret("s", None).await.expect("a secret");
    azure.demand_claims(true);
    client.get_secret("s", None).await.expect("with claims");
    client.get_secret("s", None).await.expect("with the same token");
    let with_claims = Some("t-home-cae-claims-2");
    assert_eq!(azure.resource_saw(), [None, Some("t-home-cae-1"), Some("t-home-cae-1"), with_claims, with_claims]);
    let asked = azure.claims_asked();
    assert_eq!(asked[0]["access_token"]["xms_cc"]["values"][0], "CP1");
    assert!(asked[0]["access_token"].get("nbf").is_none());
    assert_eq!(asked[1]["access_token"]["nbf"]["value"], "1800000000");
    assert_eq!(asked[1]["access_token"]["xms_cc"]["values"][0], "CP1");
}

#[tokio::test]
async fn an_upload_is_sent_again_whole() {
    let azure = Azure::new(HOME);
    let client = azure.blob(&[], Some(Default::default()));
    azure.demand_claims(true);
    client.upload(RequestContent::from(b"an order".to_vec()), None).await.expect("uploaded");
    assert_eq!(azure.resource_saw(), [Some("t-home-cae-1"), Some("t-home-cae-claims-2")]);
    assert_eq!(azure.bodies(), ["an order", "an order"]);
}

#[tokio::test]
async fn a_blob_of_another_tenant_is_found() {
    let azure = Azure::new(OTHER);
    let client = azure.blob(&[OTHER], Some(Default::default()));
    client.get_properties(None).await.expect("found");
    client.get_properties(None).await.expect("found");
    assert_eq!(azure.tenants_asked(), [HOME, OTHER]);
    let other = Some("t-other-cae-2");
    assert_eq!(azure.resource_saw(), [Some("t-home-cae-1"), other, other]);
}

#[tokio::test]
async fn what_claims_do_not_help_ends_after_they_were_shown_once() {
    for client_is_vaults in [true, false] {
        let azure = Azure::new(HOME);
        azure.demand_claims(true);
        azure.refuse_claims();
        let error = match client_is_vaults {
            true => azure.secrets(&[], Some(Default::default())).get_secret("s", None).await.map(drop),
            false => azure.blob(&[], Some(Default::default())).get_properties(None).await.map(drop),
        };
        error.expect_err("refused");
        let saw = azure.resource_saw();
        let with_claims = saw.iter().flatten().filter(|token| token.contains("-claims-")).count();
        assert_eq!((with_claims, azure.tenants_asked().len()), (1, 2), "{saw:?}");
    }
}

#[tokio::test]
async fn without_the_policy_the_challenge_comes_back() {
    let azure = Azure::new(HOME);
    azure.demand_claims(true);
    let error = azure.blob(&[], None).get_properties(None).await.expect_err("refused");
    assert_eq!(error.http_status(), Some(StatusCode::Unauthorized));
    assert_eq!(azure.resource_saw(), [Some("t-home-plain-1")]);
    let deaf = ChallengePolicyOptions { disable_cae: true, ..Default::default() };
    azure.blob(&[], Some(deaf)).get_properties(None).await.expect("claims are brought all the same");
    assert!(azure.claims_asked().iter().all(|claims| claims["access_token"].get("xms_cc").is_none()));
}

#[tokio::test]
async fn claims_that_a_person_must_satisfy_come_back_as_an_error() {
    let azure = Arc::new(Azure::new(HOME));
    let client = azure.blob(&[], Some(Default::default()));
    azure.demand_claims(true);
    azure.want_a_person();
    let error = client.get_properties(None).await.expect_err("nobody is there");
    let entrada = azure::entradas(&error).expect("our error inside");
    assert_eq!(entrada.outcome(), entrada::Outcome::InteractionRequired);
    assert_eq!(entrada.claims(), Some(CLAIMS));
}
