//! Resource Manager: what a caller sees, and what it may change.

use crate::support::{ARM, Answer, Run, send, start};
use entrada_emulator::{Host, world};
use serde_json::{Value, json};

async fn ask(run: &Run, token: &str, method: &str, path: &str, body: Value) -> Answer {
    let request = run.call(method, &format!("{ARM}{path}?api-version=2022-12-01"), token);
    send(if body.is_null() { request } else { request.body(body.to_string()) }).await
}

async fn get(run: &Run, token: &str, path: &str) -> Answer {
    ask(run, token, "GET", path, Value::Null).await
}

fn names(answer: &Answer, field: &str) -> Vec<String> {
    let body = answer.json();
    let items = body["value"].as_array().expect("a list");
    items.iter().map(|item| item[field].as_str().expect(field).to_owned()).collect()
}

fn group() -> String {
    format!("/subscriptions/{}/resourceGroups/{}", world::SUBSCRIPTION_ID, world::RESOURCE_GROUP)
}

#[tokio::test]
async fn callers_are_authenticated() {
    let run = start().await;
    let bare = send(run.laptop.get(format!("{ARM}/subscriptions?api-version=2022-12-01"))).await;
    assert_eq!((bare.status, bare.json()["error"]["code"].clone()), (401, "AuthenticationFailed".into()));
    assert!(bare.header("www-authenticate").starts_with("Bearer authorization_uri="));
    let wrong = get(&run, &run.app_token("https://vault.azure.net").await, "/subscriptions").await;
    assert_eq!(wrong.json()["error"]["code"], "InvalidAuthenticationTokenAudience");
    let broken = get(&run, "a.b.c", "/subscriptions").await;
    assert_eq!((broken.status, broken.json()["error"]["code"].clone()), (401, "InvalidAuthenticationToken".into()));
    let token = run.app_token(ARM).await;
    let versionless = send(run.call("GET", &format!("{ARM}/subscriptions"), &token)).await;
    assert_eq!(versionless.json()["error"]["code"], "MissingApiVersionParameter");
}

#[tokio::test]
async fn only_subscriptions_with_a_role_are_listed() {
    let run = start().await;
    let listed = |token: String| {
        let run = &run;
        async move { names(&get(run, &token, "/subscriptions").await, "displayName") }
    };
    assert_eq!(listed(run.app_token(ARM).await).await, ["Contoso Production", "Contoso Development"]);
    let newcomer = run.newcomer_token(ARM).await;
    assert!(listed(newcomer.clone()).await.is_empty());
    run.emulator.assign_role(world::NEWCOMER_OBJECT_ID, "Reader", &group()).expect("assigned");
    assert_eq!(listed(newcomer.clone()).await, ["Contoso Production"]);
    let path = format!("/subscriptions/{}", world::DEVELOPMENT_SUBSCRIPTION_ID);
    let refused = get(&run, &newcomer, &path).await;
    let message = refused.json()["error"]["message"].as_str().expect("message").to_owned();
    assert_eq!(refused.status, 403);
    for part in [
        world::NEWCOMER_CLIENT_ID,
        world::NEWCOMER_OBJECT_ID,
        "Microsoft.Resources/subscriptions/read",
        &path,
        "'Reader'",
    ] {
        assert!(message.contains(part), "{part} in {message}");
    }
    let foreign = get(&run, &newcomer, &format!("/subscriptions/{}", world::US_SUBSCRIPTION_ID)).await;
    assert_eq!(foreign.json()["error"]["code"], "InvalidAuthenticationTokenTenant");
    let unknown = get(&run, &newcomer, "/subscriptions/nothing").await;
    assert_eq!((unknown.status, unknown.json()["error"]["code"].clone()), (404, "SubscriptionNotFound".into()));
    assert_eq!(names(&get(&run, &newcomer, "/tenants").await, "defaultDomain"), [world::TENANT_DOMAIN]);
}

#[tokio::test]
async fn resource_groups_come_and_go() {
    let run = start().await;
    let (admin, reader) = (run.admin_token(ARM).await, run.app_token(ARM).await);
    let path = format!("/subscriptions/{}/resourcegroups/new-rg", world::SUBSCRIPTION_ID);
    let body = json!({"location": "West Europe", "tags": {"team": "orders"}});
    let refused = ask(&run, &reader, "PUT", &path, body.clone()).await;
    assert!(refused.status == 403 && refused.text.contains("'Contributor'"), "{refused:?}");
    let created = ask(&run, &admin, "PUT", &path, body.clone()).await;
    assert_eq!((created.status, created.json()["location"].clone()), (201, "westeurope".into()));
    assert_eq!(ask(&run, &admin, "PUT", &path, body).await.status, 200);
    assert_eq!(get(&run, &reader, &path).await.json()["tags"]["team"], "orders");
    assert_eq!(ask(&run, &reader, "HEAD", &path, Value::Null).await.status, 204);
    assert_eq!(ask(&run, &admin, "DELETE", &path, Value::Null).await.status, 200);
    assert_eq!(get(&run, &reader, &path).await.json()["error"]["code"], "ResourceGroupNotFound");
    let holding = ask(&run, &admin, "DELETE", &group(), Value::Null).await;
    assert_eq!(holding.status, 409, "it holds the world's resources");
    let homeless = ask(&run, &admin, "PUT", &path, json!({})).await;
    assert_eq!(homeless.json()["error"]["code"], "LocationRequired");
}

#[tokio::test]
async fn an_assigned_role_takes_effect_and_ends() {
    let run = start().await;
    let admin = run.admin_token(ARM).await;
    let definitions = format!(
        "{ARM}{}/providers/Microsoft.Authorization/roleDefinitions?api-version=2022-04-01&$filter=roleName%20eq%20'Reader'",
        group()
    );
    let definition = send(run.call("GET", &definitions, &admin)).await.json()["value"][0]["id"].clone();
    let path = format!(
        "{}/providers/Microsoft.Authorization/roleAssignments/{}",
        group(),
        "a0000000-0000-4000-8000-000000000001"
    );
    let body = json!({"properties": {"roleDefinitionId": definition, "principalId": world::NEWCOMER_OBJECT_ID}});

    let newcomer = run.newcomer_token(ARM).await;
    assert_eq!(get(&run, &newcomer, &group()).await.status, 403);
    let own = ask(&run, &newcomer, "PUT", &path, body.clone()).await;
    assert_eq!(own.status, 403, "nobody gives a role to themselves");
    assert_eq!(ask(&run, &admin, "PUT", &path, body.clone()).await.status, 201);
    assert_eq!(get(&run, &newcomer, &group()).await.status, 200);
    let other = path.replace("a0000000", "a1000000");
    assert_eq!(ask(&run, &admin, "PUT", &other, body).await.json()["error"]["code"], "RoleAssignmentExists");
    let of_newcomer = format!(
        "{ARM}{}/providers/Microsoft.Authorization/roleAssignments?api-version=2022-04-01&$filter=principalId%20eq%20'{}'",
        group(),
        world::NEWCOMER_OBJECT_ID
    );
    let listed = send(run.call("GET", &of_newcomer, &admin)).await;
    assert_eq!(names(&listed, "name"), ["a0000000-0000-4000-8000-000000000001"]);
    assert_eq!(ask(&run, &admin, "DELETE", &path, Value::Null).await.status, 200);
    assert_eq!(get(&run, &newcomer, &group()).await.status, 403);
    assert_eq!(ask(&run, &admin, "DELETE", &path, Value::Null).await.status, 204);
}

#[tokio::test]
async fn assignments_of_unknown_things_are_refused() {
    let run = start().await;
    let admin = run.admin_token(ARM).await;
    let path = |name: &str| format!("{}/providers/Microsoft.Authorization/roleAssignments/{name}", group());
    let reader = "acdd72a7-3385-48ef-bd42-f606fba81ae7";
    let name = "a0000000-0000-4000-8000-000000000001";
    for (name, role, principal, code) in [
        ("not-a-guid", reader, world::NEWCOMER_OBJECT_ID, "InvalidRoleAssignmentId"),
        (name, "a2000000-0000-4000-8000-000000000001", world::NEWCOMER_OBJECT_ID, "RoleDefinitionDoesNotExist"),
        (name, reader, "a3000000-0000-4000-8000-000000000001", "PrincipalNotFound"),
        (name, "", world::NEWCOMER_OBJECT_ID, "InvalidRequestContent"),
    ] {
        let body = json!({"properties": {"roleDefinitionId": role, "principalId": principal}});
        assert_eq!(ask(&run, &admin, "PUT", &path(name), body).await.json()["error"]["code"], code);
    }
}

#[tokio::test]
async fn the_identity_of_an_app_can_be_seen_and_changed() {
    let run = start().await;
    let admin = run.admin_token(ARM).await;
    let site = format!("{}/providers/Microsoft.Web/sites/{}", group(), world::WEB_APP);
    let before = get(&run, &admin, &site).await.json();
    assert_eq!(before["identity"]["principalId"], world::WEB_APP_OBJECT_ID);
    assert_eq!(
        before["identity"]["userAssignedIdentities"][world::USER_ASSIGNED_RESOURCE_ID]["clientId"],
        world::USER_ASSIGNED_CLIENT_ID
    );

    let header = run.emulator.environment(Host::AppService).into_iter().find(|(name, _)| name == "IDENTITY_HEADER");
    let header = header.expect("set").1;
    let token = |client_id: &'static str| {
        let url = format!(
            "{}?api-version=2019-08-01&resource=https://vault.azure.net&client_id={client_id}",
            run.emulator.identity_endpoint()
        );
        send(run.direct.get(url).header("X-IDENTITY-HEADER", &header))
    };
    assert_eq!(token(world::SECOND_USER_ASSIGNED_CLIENT_ID).await.status, 400);
    let change = json!({"identity": {"type": "UserAssigned", "userAssignedIdentities": {
        world::SECOND_USER_ASSIGNED_RESOURCE_ID: {},
        world::USER_ASSIGNED_RESOURCE_ID: null,
    }}});
    let after = ask(&run, &admin, "PATCH", &site, change).await.json();
    assert_eq!(after["identity"]["type"], "UserAssigned");
    assert_eq!(token(world::SECOND_USER_ASSIGNED_CLIENT_ID).await.status, 200);
    assert_eq!(token(world::USER_ASSIGNED_CLIENT_ID).await.status, 400);
    assert_eq!(token(world::WEB_APP_CLIENT_ID).await.status, 400, "the system-assigned identity is off");

    let unknown = json!({"identity": {"type": "Magic"}});
    assert_eq!(ask(&run, &admin, "PATCH", &site, unknown).await.json()["error"]["code"], "InvalidIdentityType");
    let missing = get(&run, &admin, &format!("{}/providers/Microsoft.Web/sites/none", group())).await;
    assert_eq!(missing.json()["error"]["code"], "ResourceNotFound");
    let listed =
        get(&run, &admin, &format!("{}/providers/Microsoft.ManagedIdentity/userAssignedIdentities", group())).await;
    assert_eq!(names(&listed, "name"), [world::USER_ASSIGNED, world::SECOND_USER_ASSIGNED]);
    let other = get(&run, &admin, &format!("{}/providers/Microsoft.Sql/servers/a", group())).await;
    assert_eq!(other.status, 501);
}

#[tokio::test]
async fn whatever_programs_run_in_is_listed_with_its_identities() {
    let run = start().await;
    let token = run.app_token(ARM).await;
    let group = format!("{ARM}/subscriptions/{}/resourceGroups/{}", world::SUBSCRIPTION_ID, world::RESOURCE_GROUP);
    for (path, object_id) in [
        ("Microsoft.Web/sites", world::WEB_APP_OBJECT_ID),
        ("Microsoft.App/containerApps", world::CONTAINER_APP_OBJECT_ID),
        ("Microsoft.ServiceFabric/managedClusters/orders-cluster/applications", world::FABRIC_APPLICATION_OBJECT_ID),
        ("Microsoft.HybridCompute/machines", world::ARC_MACHINE_OBJECT_ID),
        ("Microsoft.MachineLearningServices/workspaces/orders-workspace/computes", world::ML_COMPUTE_OBJECT_ID),
        ("Microsoft.ContainerInstance/containerGroups", world::CONTAINER_GROUP_OBJECT_ID),
    ] {
        let url = format!("{group}/providers/{path}?api-version=2024-03-01");
        let listed = send(run.call("GET", &url, &token)).await.json();
        let one = &listed["value"][0];
        assert_eq!(one["identity"]["principalId"], object_id, "{path}: {listed}");
        assert!(one["identity"]["userAssignedIdentities"][world::USER_ASSIGNED_RESOURCE_ID].is_object(), "{path}");
        let id = one["id"].as_str().expect("an id");
        let again = send(run.call("GET", &format!("{ARM}{id}?api-version=2024-03-01"), &token)).await.json();
        assert_eq!(&again, one, "{path}");
    }
}
