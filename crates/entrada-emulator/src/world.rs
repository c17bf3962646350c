//! The built-in world: its names and identifiers, as constants for examples and tests.
//!
//! The crate documentation holds the same in one table. Every identifier says what it is by its
//! first letters: `7e…` is a tenant, `5b…` a subscription, `c1…` a client id and `0b…` an object id;
//! the last digits are the same in the client id and the object id of one principal.
//!
//! The secrets and passwords here are fakes, published on purpose. They open nothing anywhere else.

use crate::config::{
    Api, App, AppSecret, AuthorityEntry, AuthorityKind, Cloud, ComputeHost, Config, Consent, FederatedCredential,
    Guest, Mfa, Refusal, RoleAssignmentEntry, ServicePrincipalEntry, StorageAccount, Subscription, SystemAssigned,
    Tenant, User, UserAssignedIdentity, Vault,
};
use std::collections::BTreeMap;

/// Tenant of the public cloud.
pub const TENANT_ID: &str = "7e000000-0000-4000-8000-000000000001";
/// Domain name of [`TENANT_ID`]; Entra takes it wherever it takes the id.
pub const TENANT_DOMAIN: &str = "contoso.onmicrosoft.com";
/// Tenant of Azure US Government (login.microsoftonline.us).
pub const US_TENANT_ID: &str = "7e000000-0000-4000-8000-000000000002";
/// Domain name of [`US_TENANT_ID`].
pub const US_TENANT_DOMAIN: &str = "contoso.onmicrosoft.us";
/// Tenant of Azure China (login.chinacloudapi.cn).
pub const CHINA_TENANT_ID: &str = "7e000000-0000-4000-8000-000000000003";
/// Domain name of [`CHINA_TENANT_ID`].
pub const CHINA_TENANT_DOMAIN: &str = "contoso.partner.onmschina.cn";

/// A second tenant of the public cloud: that of a partner.
pub const FABRIKAM_TENANT_ID: &str = "7e000000-0000-4000-8000-000000000004";
/// Domain name of [`FABRIKAM_TENANT_ID`].
pub const FABRIKAM_TENANT_DOMAIN: &str = "fabrikam.onmicrosoft.com";

/// Subscription "Contoso Production": everything below lives here.
pub const SUBSCRIPTION_ID: &str = "5b000000-0000-4000-8000-000000000001";
/// Subscription "Contoso Development": empty but for one resource group.
pub const DEVELOPMENT_SUBSCRIPTION_ID: &str = "5b000000-0000-4000-8000-000000000002";
/// Subscription of [`US_TENANT_ID`].
pub const US_SUBSCRIPTION_ID: &str = "5b000000-0000-4000-8000-000000000012";
/// Subscription of [`CHINA_TENANT_ID`].
pub const CHINA_SUBSCRIPTION_ID: &str = "5b000000-0000-4000-8000-000000000013";
/// Subscription of [`FABRIKAM_TENANT_ID`].
pub const FABRIKAM_SUBSCRIPTION_ID: &str = "5b000000-0000-4000-8000-000000000004";
/// Resource group that holds the resources of [`SUBSCRIPTION_ID`].
pub const RESOURCE_GROUP: &str = "orders-rg";

/// Client id of the app registration `orders-ci`.
pub const APP_CLIENT_ID: &str = "c1000000-0000-4000-8000-000000000001";
/// Object id of the service principal of `orders-ci` in [`TENANT_ID`].
pub const APP_OBJECT_ID: &str = "0b000000-0000-4000-8000-000000000001";
/// A valid client secret of `orders-ci`.
pub const APP_SECRET: &str = "orders-ci~fake.secret";
/// A client secret of `orders-ci` that has expired: Entra answers AADSTS7000222.
pub const APP_EXPIRED_SECRET: &str = "orders-ci~expired.secret";
/// Object id of `orders-ci` in [`US_TENANT_ID`].
pub const US_APP_OBJECT_ID: &str = "0b000000-0000-4000-8000-000000000012";
/// Object id of `orders-ci` in [`CHINA_TENANT_ID`].
pub const CHINA_APP_OBJECT_ID: &str = "0b000000-0000-4000-8000-000000000013";

/// Password of the encrypted files that hold the run's certificate
/// ([`Emulator::certificate`](crate::Emulator::certificate)).
pub const CERTIFICATE_PASSWORD: &str = "orders-ci~fake.password";
/// Client ids of the apps that the run's certificate signs in: `orders-ci` and `orders-api`.
pub const CERTIFICATE_APPS: [&str; 2] = [APP_CLIENT_ID, API_CLIENT_ID];
/// Object id of `orders-ci` in [`FABRIKAM_TENANT_ID`].
pub const FABRIKAM_APP_OBJECT_ID: &str = "0b000000-0000-4000-8000-000000000041";

/// Client id of the app registration `newcomer`, which has no role anywhere.
pub const NEWCOMER_CLIENT_ID: &str = "c1000000-0000-4000-8000-000000000002";
/// Object id of `newcomer`.
pub const NEWCOMER_OBJECT_ID: &str = "0b000000-0000-4000-8000-000000000002";
/// The client secret of `newcomer`.
pub const NEWCOMER_SECRET: &str = "newcomer~fake.secret";

/// Client id of the app registration `platform-admin`: Owner of both subscriptions, Key Vault Administrator.
pub const ADMIN_CLIENT_ID: &str = "c1000000-0000-4000-8000-000000000008";
/// Object id of `platform-admin`.
pub const ADMIN_OBJECT_ID: &str = "0b000000-0000-4000-8000-000000000008";
/// The client secret of `platform-admin`.
pub const ADMIN_SECRET: &str = "platform-admin~fake.secret";

/// Name of the App Service web app; with `Host::AppService` a program runs inside it.
pub const WEB_APP: &str = "orders-web";
/// Client id of the system-assigned identity of [`WEB_APP`].
pub const WEB_APP_CLIENT_ID: &str = "c1000000-0000-4000-8000-000000000003";
/// Object id (principal id) of the system-assigned identity of [`WEB_APP`].
pub const WEB_APP_OBJECT_ID: &str = "0b000000-0000-4000-8000-000000000003";

/// Name of the virtual machine; with `Host::VirtualMachine` a program runs inside it.
pub const VIRTUAL_MACHINE: &str = "build-vm";
/// Client id of the system-assigned identity of [`VIRTUAL_MACHINE`].
pub const VIRTUAL_MACHINE_CLIENT_ID: &str = "c1000000-0000-4000-8000-000000000004";
/// Object id (principal id) of the system-assigned identity of [`VIRTUAL_MACHINE`].
pub const VIRTUAL_MACHINE_OBJECT_ID: &str = "0b000000-0000-4000-8000-000000000004";
/// A virtual machine without a system-assigned identity and with two user-assigned ones, so a
/// request must say which; chosen with `[inside] virtual_machine = "worker-vm"`.
pub const WORKER_VM: &str = "worker-vm";

/// Name of the container app; with `Host::ContainerApp` a program runs inside it.
pub const CONTAINER_APP: &str = "orders-api";
/// Client id of the system-assigned identity of [`CONTAINER_APP`].
pub const CONTAINER_APP_CLIENT_ID: &str = "c1000000-0000-4000-8000-000000000020";
/// Object id (principal id) of the system-assigned identity of [`CONTAINER_APP`].
pub const CONTAINER_APP_OBJECT_ID: &str = "0b000000-0000-4000-8000-000000000020";

/// Name of the Service Fabric application; with `Host::ServiceFabric` a program runs inside it.
pub const FABRIC_APPLICATION: &str = "orders-fabric";
/// Name of the managed cluster that [`FABRIC_APPLICATION`] runs on.
pub const FABRIC_CLUSTER: &str = "orders-cluster";
/// Client id of the system-assigned identity of [`FABRIC_APPLICATION`].
pub const FABRIC_APPLICATION_CLIENT_ID: &str = "c1000000-0000-4000-8000-000000000021";
/// Object id (principal id) of the system-assigned identity of [`FABRIC_APPLICATION`].
pub const FABRIC_APPLICATION_OBJECT_ID: &str = "0b000000-0000-4000-8000-000000000021";

/// Name of the machine under Azure Arc; with `Host::AzureArc` a program runs on it.
pub const ARC_MACHINE: &str = "orders-arc";
/// Client id of the system-assigned identity of [`ARC_MACHINE`].
pub const ARC_MACHINE_CLIENT_ID: &str = "c1000000-0000-4000-8000-000000000022";
/// Object id (principal id) of the system-assigned identity of [`ARC_MACHINE`].
pub const ARC_MACHINE_OBJECT_ID: &str = "0b000000-0000-4000-8000-000000000022";

/// Name of the Machine Learning compute; with `Host::AzureMl` a program runs on it.
pub const ML_COMPUTE: &str = "orders-ml";
/// Name of the workspace of [`ML_COMPUTE`].
pub const ML_WORKSPACE: &str = "orders-workspace";
/// Client id of the system-assigned identity of [`ML_COMPUTE`].
pub const ML_COMPUTE_CLIENT_ID: &str = "c1000000-0000-4000-8000-000000000023";
/// Object id (principal id) of the system-assigned identity of [`ML_COMPUTE`].
pub const ML_COMPUTE_OBJECT_ID: &str = "0b000000-0000-4000-8000-000000000023";

/// Name of the container group; with `Host::ContainerInstance` a program runs inside it.
pub const CONTAINER_GROUP: &str = "orders-group";
/// Client id of the system-assigned identity of [`CONTAINER_GROUP`].
pub const CONTAINER_GROUP_CLIENT_ID: &str = "c1000000-0000-4000-8000-000000000024";
/// Object id (principal id) of the system-assigned identity of [`CONTAINER_GROUP`].
pub const CONTAINER_GROUP_OBJECT_ID: &str = "0b000000-0000-4000-8000-000000000024";

/// Name of the AKS cluster; with `Host::Kubernetes` a program runs in a pod of it.
pub const CLUSTER: &str = "orders-aks";
/// OIDC issuer of [`CLUSTER`].
pub const CLUSTER_ISSUER: &str = "https://westeurope.oic.prod-aks.azure.com/7e000000-0000-4000-8000-000000000001/a5000000-0000-4000-8000-000000000001/";
/// Subject of the tokens of the service account on [`CLUSTER`]; [`USER_ASSIGNED`] has a federated credential for it.
pub const SERVICE_ACCOUNT: &str = "system:serviceaccount:orders:orders-sa";
/// AD FS of Contoso's own; its tenant id is `adfs`. It knows the apps of the world.
pub const AD_FS_AUTHORITY: &str = "https://adfs.contoso.example/adfs";
/// Entra's authority on an Azure Stack Hub of Contoso's own, with a port and a path. Nobody vouches for it, so a client
/// needs `disable_instance_discovery`.
pub const STACK_AUTHORITY: &str = "https://login.stack.contoso.example:3001/sts";
/// Issuer of the tokens of GitHub Actions.
pub const GITHUB_ISSUER: &str = "https://token.actions.githubusercontent.com";
/// Repository of the workflow of `Host::GitHubActions`.
pub const GITHUB_REPOSITORY: &str = "contoso/orders";
/// Subject of its tokens, which `orders-ci` trusts.
pub const GITHUB_SUBJECT: &str = "repo:contoso/orders:ref:refs/heads/main";
/// Issuer of the tokens of Azure Pipelines in the organization `contoso`.
pub const PIPELINES_ISSUER: &str = "https://vstoken.dev.azure.com/a0000000-0000-4000-8000-000000000001";
/// Subject of the tokens of the service connection `azure-orders` of `Host::AzurePipelines`, which `orders-ci` trusts.
pub const PIPELINES_SUBJECT: &str = "sc://contoso/orders/azure-orders";
/// Id of that service connection.
pub const SERVICE_CONNECTION_ID: &str = "5c000000-0000-4000-8000-000000000001";
/// Issuer of a token that a managed identity of [`TENANT_ID`] shows in place of a secret.
pub const TENANT_ISSUER: &str = "https://login.microsoftonline.com/7e000000-0000-4000-8000-000000000001/v2.0";
/// Audience of a token that is shown to Entra in place of a secret.
pub const EXCHANGE_AUDIENCE: &str = "api://AzureADTokenExchange";
/// Audience of a service account's token on a cluster with an identity binding: the cluster's token proxy.
pub const BINDING_AUDIENCE: &str = "api://AKSIdentityBinding";

/// Name of the user-assigned identity attached to every resource that programs run in, with a federated
/// credential for [`SERVICE_ACCOUNT`].
pub const USER_ASSIGNED: &str = "orders-identity";
/// Client id of [`USER_ASSIGNED`].
pub const USER_ASSIGNED_CLIENT_ID: &str = "c1000000-0000-4000-8000-000000000005";
/// Object id (principal id) of [`USER_ASSIGNED`].
pub const USER_ASSIGNED_OBJECT_ID: &str = "0b000000-0000-4000-8000-000000000005";
/// Resource id of [`USER_ASSIGNED`].
pub const USER_ASSIGNED_RESOURCE_ID: &str = "/subscriptions/5b000000-0000-4000-8000-000000000001/resourceGroups/orders-rg/providers/Microsoft.ManagedIdentity/userAssignedIdentities/orders-identity";

/// Name of the second user-assigned identity: attached to the virtual machines only, without a role.
pub const SECOND_USER_ASSIGNED: &str = "reports-identity";
/// Client id of [`SECOND_USER_ASSIGNED`].
pub const SECOND_USER_ASSIGNED_CLIENT_ID: &str = "c1000000-0000-4000-8000-000000000006";
/// Object id (principal id) of [`SECOND_USER_ASSIGNED`].
pub const SECOND_USER_ASSIGNED_OBJECT_ID: &str = "0b000000-0000-4000-8000-000000000006";
/// Resource id of [`SECOND_USER_ASSIGNED`].
pub const SECOND_USER_ASSIGNED_RESOURCE_ID: &str = "/subscriptions/5b000000-0000-4000-8000-000000000001/resourceGroups/orders-rg/providers/Microsoft.ManagedIdentity/userAssignedIdentities/reports-identity";

/// Client id of the public client `orders-cli`, a program on a person's machine, in [`TENANT_ID`] and
/// [`FABRIKAM_TENANT_ID`]. Its redirect URI is `http://localhost`, with any port; an administrator has consented to it.
pub const CLI_CLIENT_ID: &str = "c1000000-0000-4000-8000-000000000014";
/// Client id of the web app `orders-portal`, a confidential client; an administrator has consented to it.
pub const PORTAL_CLIENT_ID: &str = "c1000000-0000-4000-8000-000000000015";
/// The client secret of `orders-portal`.
pub const PORTAL_SECRET: &str = "orders-portal~fake.secret";
/// The redirect URI of `orders-portal`. Nothing answers there.
pub const PORTAL_REDIRECT_URI: &str = "https://portal.contoso.example/signin";
/// Client id of the public client `reports-viewer`, to which nobody has consented: AADSTS65001.
pub const UNCONSENTED_CLIENT_ID: &str = "c1000000-0000-4000-8000-000000000016";
/// Client id of the public client `audit-tool`, to which only an administrator could consent: AADSTS90094.
pub const ADMIN_CONSENT_CLIENT_ID: &str = "c1000000-0000-4000-8000-000000000017";
/// Redirect URI of the public clients of this world; the port may be any.
pub const LOCALHOST_REDIRECT_URI: &str = "http://localhost";
/// Client id of the Azure CLI, Microsoft's own: a public client that every tenant knows and has consented to, and the
/// one that the Azure Identity libraries use where they are told of no other.
pub const AZURE_CLI_CLIENT_ID: &str = "04b07795-8ddb-461a-bbee-02f9e1bf7b46";
/// Client id of Azure PowerShell, as [`AZURE_CLI_CLIENT_ID`]; each takes the other's refresh tokens.
pub const AZURE_POWERSHELL_CLIENT_ID: &str = "1950a258-227b-4e31-a9cf-717495945fc2";
/// Client id of Visual Studio Code, as [`AZURE_CLI_CLIENT_ID`].
pub const VSCODE_CLIENT_ID: &str = "aebc6443-996d-45c2-90f0-388ff96faa56";

/// User principal name of the user whom nothing hinders, Owner of [`SUBSCRIPTION_ID`]; reads secrets and writes blobs;
/// guest in [`FABRIKAM_TENANT_ID`].
pub const USER_NAME: &str = "ada@contoso.onmicrosoft.com";
/// Object id of [`USER_NAME`].
pub const USER_OBJECT_ID: &str = "0b000000-0000-4000-8000-000000000007";
/// Password of [`USER_NAME`], and of the users of the sovereign tenants.
pub const USER_PASSWORD: &str = "ada~fake.password";
/// Object id of [`USER_NAME`] as a guest in [`FABRIKAM_TENANT_ID`].
pub const GUEST_OBJECT_ID: &str = "0b000000-0000-4000-8000-000000000040";
/// User who has to show a second proof: AADSTS50076 where nobody can be asked.
pub const MFA_USER_NAME: &str = "needs-mfa@contoso.onmicrosoft.com";
/// User who has to register for multi-factor authentication first: AADSTS50079.
pub const REGISTER_MFA_USER_NAME: &str = "registers-mfa@contoso.onmicrosoft.com";
/// User whom conditional access blocks: AADSTS53003.
pub const BLOCKED_USER_NAME: &str = "blocked@contoso.onmicrosoft.com";
/// User whose password has expired: AADSTS50055.
pub const EXPIRED_PASSWORD_USER_NAME: &str = "password-expired@contoso.onmicrosoft.com";
/// User whose account is disabled: AADSTS50057.
pub const DISABLED_USER_NAME: &str = "disabled@contoso.onmicrosoft.com";
/// User whose account is locked: AADSTS50053.
pub const LOCKED_USER_NAME: &str = "locked@contoso.onmicrosoft.com";
/// User of [`FABRIKAM_TENANT_ID`], unknown to [`TENANT_ID`]: AADSTS50020 there.
pub const FABRIKAM_USER_NAME: &str = "frank@fabrikam.onmicrosoft.com";
/// Object id of [`FABRIKAM_USER_NAME`].
pub const FABRIKAM_USER_OBJECT_ID: &str = "0b000000-0000-4000-8000-000000000039";
/// User of [`US_TENANT_ID`], with the password [`USER_PASSWORD`].
pub const US_USER_NAME: &str = "ada@contoso.onmicrosoft.us";
/// User of [`CHINA_TENANT_ID`], with the password [`USER_PASSWORD`].
pub const CHINA_USER_NAME: &str = "ada@contoso.partner.onmschina.cn";
/// Password of every other user.
pub const USERS_PASSWORD: &str = "users~fake.password";

/// Name of the key vault: `https://contoso-vault.vault.azure.net`.
pub const VAULT: &str = "contoso-vault";
/// Base URL of [`VAULT`].
pub const VAULT_URL: &str = "https://contoso-vault.vault.azure.net";
/// Resource id of [`VAULT`].
pub const VAULT_RESOURCE_ID: &str = "/subscriptions/5b000000-0000-4000-8000-000000000001/resourceGroups/orders-rg/providers/Microsoft.KeyVault/vaults/contoso-vault";
/// Name of a secret in every vault of this world.
pub const SECRET_NAME: &str = "database-password";
/// Value of [`SECRET_NAME`].
pub const SECRET_VALUE: &str = "correct horse battery staple";
/// Base URL of the vault of [`FABRIKAM_TENANT_ID`]; its challenge names that tenant.
pub const FABRIKAM_VAULT_URL: &str = "https://fabrikam-vault.vault.azure.net";
/// Base URL of the vault in Azure US Government.
pub const US_VAULT_URL: &str = "https://contoso-us-vault.vault.usgovcloudapi.net";
/// Base URL of the vault in Azure China.
pub const CHINA_VAULT_URL: &str = "https://contoso-cn-vault.vault.azure.cn";

/// Name of the storage account.
pub const STORAGE_ACCOUNT: &str = "contosostore";
/// Blob endpoint of [`STORAGE_ACCOUNT`].
pub const BLOB_URL: &str = "https://contosostore.blob.core.windows.net";
/// Resource id of [`STORAGE_ACCOUNT`].
pub const STORAGE_RESOURCE_ID: &str = "/subscriptions/5b000000-0000-4000-8000-000000000001/resourceGroups/orders-rg/providers/Microsoft.Storage/storageAccounts/contosostore";
/// A container that exists, and is empty, when a run starts.
pub const CONTAINER: &str = "orders";

/// An API of Contoso's own that asks for v2 tokens; its tokens have this client id as audience.
pub const API_CLIENT_ID: &str = "c1000000-0000-4000-8000-000000000009";
/// Application ID URI of that API; its scope is this with `/.default`.
pub const API_URI: &str = "api://orders-api";
/// Object id of that API's own service principal, with which it signs in to call others on behalf of its users.
pub const API_OBJECT_ID: &str = "0b000000-0000-4000-8000-000000000009";
/// The client secret of that API.
pub const API_SECRET: &str = "orders-api~fake.secret";

/// Host name at which the emulator answers as that API.
pub const API_HOST: &str = "orders-api.contoso.example";

/// How the object ids of the crowd begin; see [`crowd_object_id`].
pub const CROWD_OBJECT_ID_START: &str = "0c000000-0000-4000-8000-";
/// The last number of the crowd.
pub const CROWD_LAST: u64 = 999_999_999_999;

/// Name of a user of the crowd: users without end in [`TENANT_ID`], who sign in nowhere and whose tokens
/// [`Emulator::issue_user_token`](crate::Emulator::issue_user_token) makes. Nothing is kept of them, so that a
/// benchmark can have as many as it wants.
#[must_use]
pub fn crowd_user(number: u64) -> String {
    format!("user-{number}@{TENANT_DOMAIN}")
}

/// Object id of a user of the crowd.
#[must_use]
pub fn crowd_object_id(number: u64) -> String {
    format!("{CROWD_OBJECT_ID_START}{number:012}")
}

/// Builds the world described in the crate documentation.
pub(crate) fn built_in() -> Config {
    Config {
        tenants: vec![
            tenant(TENANT_ID, TENANT_DOMAIN, "Contoso", Cloud::Public),
            tenant(US_TENANT_ID, US_TENANT_DOMAIN, "Contoso Federal", Cloud::UsGovernment),
            tenant(CHINA_TENANT_ID, CHINA_TENANT_DOMAIN, "Contoso China", Cloud::China),
            tenant(FABRIKAM_TENANT_ID, FABRIKAM_TENANT_DOMAIN, "Fabrikam", Cloud::Public),
        ],
        apps: apps(),
        apis: vec![Api {
            client_id: API_CLIENT_ID.into(),
            name: "orders-api".into(),
            tenant: TENANT_ID.into(),
            identifier_uris: vec![API_URI.into()],
            token_version: 2,
            scopes: vec!["access_as_user".into(), "Orders.Read".into()],
            host: Some(API_HOST.into()),
        }],
        authorities: vec![
            AuthorityEntry { url: AD_FS_AUTHORITY.into(), kind: AuthorityKind::AdFs, ..AuthorityEntry::default() },
            AuthorityEntry { url: STACK_AUTHORITY.into(), ..AuthorityEntry::default() },
        ],
        users: users(),
        subscriptions: vec![
            subscription(SUBSCRIPTION_ID, "Contoso Production", TENANT_ID, RESOURCE_GROUP),
            subscription(DEVELOPMENT_SUBSCRIPTION_ID, "Contoso Development", TENANT_ID, "sandbox-rg"),
            subscription(US_SUBSCRIPTION_ID, "Contoso Federal", US_TENANT_ID, "federal-rg"),
            subscription(CHINA_SUBSCRIPTION_ID, "Contoso China", CHINA_TENANT_ID, "china-rg"),
            subscription(FABRIKAM_SUBSCRIPTION_ID, "Fabrikam Production", FABRIKAM_TENANT_ID, "fabrikam-rg"),
        ],
        identities: vec![
            UserAssignedIdentity {
                federated_credentials: vec![FederatedCredential {
                    issuer: CLUSTER_ISSUER.into(),
                    subject: SERVICE_ACCOUNT.into(),
                    audiences: crate::config::exchange_audiences(),
                }],
                ..identity(USER_ASSIGNED, USER_ASSIGNED_CLIENT_ID, USER_ASSIGNED_OBJECT_ID)
            },
            identity(SECOND_USER_ASSIGNED, SECOND_USER_ASSIGNED_CLIENT_ID, SECOND_USER_ASSIGNED_OBJECT_ID),
        ],
        web_apps: vec![compute(WEB_APP, Some((WEB_APP_CLIENT_ID, WEB_APP_OBJECT_ID)), &[USER_ASSIGNED])],
        virtual_machines: vec![
            compute(
                VIRTUAL_MACHINE,
                Some((VIRTUAL_MACHINE_CLIENT_ID, VIRTUAL_MACHINE_OBJECT_ID)),
                &[USER_ASSIGNED, SECOND_USER_ASSIGNED],
            ),
            compute(WORKER_VM, None, &[USER_ASSIGNED, SECOND_USER_ASSIGNED]),
        ],
        container_apps: vec![compute(
            CONTAINER_APP,
            Some((CONTAINER_APP_CLIENT_ID, CONTAINER_APP_OBJECT_ID)),
            &[USER_ASSIGNED],
        )],
        service_fabric_applications: vec![ComputeHost {
            parent: Some(FABRIC_CLUSTER.into()),
            ..compute(
                FABRIC_APPLICATION,
                Some((FABRIC_APPLICATION_CLIENT_ID, FABRIC_APPLICATION_OBJECT_ID)),
                &[USER_ASSIGNED],
            )
        }],
        arc_machines: vec![compute(
            ARC_MACHINE,
            Some((ARC_MACHINE_CLIENT_ID, ARC_MACHINE_OBJECT_ID)),
            &[USER_ASSIGNED],
        )],
        ml_computes: vec![ComputeHost {
            parent: Some(ML_WORKSPACE.into()),
            ..compute(ML_COMPUTE, Some((ML_COMPUTE_CLIENT_ID, ML_COMPUTE_OBJECT_ID)), &[USER_ASSIGNED])
        }],
        container_groups: vec![compute(
            CONTAINER_GROUP,
            Some((CONTAINER_GROUP_CLIENT_ID, CONTAINER_GROUP_OBJECT_ID)),
            &[USER_ASSIGNED],
        )],
        vaults: vec![
            vault(VAULT, SUBSCRIPTION_ID, RESOURCE_GROUP),
            vault("contoso-us-vault", US_SUBSCRIPTION_ID, "federal-rg"),
            vault("contoso-cn-vault", CHINA_SUBSCRIPTION_ID, "china-rg"),
            vault("fabrikam-vault", FABRIKAM_SUBSCRIPTION_ID, "fabrikam-rg"),
        ],
        storage_accounts: vec![
            storage(STORAGE_ACCOUNT, SUBSCRIPTION_ID, RESOURCE_GROUP),
            storage("contosousstore", US_SUBSCRIPTION_ID, "federal-rg"),
            storage("contosocnstore", CHINA_SUBSCRIPTION_ID, "china-rg"),
        ],
        role_assignments: role_assignments(),
        ..Config::empty()
    }
}

fn apps() -> Vec<App> {
    let sp =
        |tenant: &str, object_id: &str| ServicePrincipalEntry { tenant: tenant.into(), object_id: object_id.into() };
    let secret = |value: &str, expires: &str| AppSecret { value: value.into(), expires: Some(expires.into()) };
    let app = |client_id: &str, name: &str, secrets, service_principals| App {
        client_id: client_id.into(),
        name: name.into(),
        secrets,
        service_principals,
        ..App::default()
    };
    let mut orders = app(
        APP_CLIENT_ID,
        "orders-ci",
        vec![secret(APP_SECRET, "2099-12-31T00:00:00Z"), secret(APP_EXPIRED_SECRET, "2024-01-31T00:00:00Z")],
        vec![
            sp(TENANT_ID, APP_OBJECT_ID),
            sp(US_TENANT_ID, US_APP_OBJECT_ID),
            sp(CHINA_TENANT_ID, CHINA_APP_OBJECT_ID),
            sp(FABRIKAM_TENANT_ID, FABRIKAM_APP_OBJECT_ID),
        ],
    );
    orders.federated_credentials = [
        (GITHUB_ISSUER, GITHUB_SUBJECT),
        (PIPELINES_ISSUER, PIPELINES_SUBJECT),
        (TENANT_ISSUER, USER_ASSIGNED_OBJECT_ID),
    ]
    .into_iter()
    .map(|(issuer, subject)| FederatedCredential {
        issuer: issuer.into(),
        subject: subject.into(),
        audiences: crate::config::exchange_audiences(),
    })
    .collect();
    orders.regional = true;
    orders.app_roles.insert(API_URI.into(), vec!["Orders.Read".into()]);
    vec![
        orders,
        app(
            NEWCOMER_CLIENT_ID,
            "newcomer",
            vec![secret(NEWCOMER_SECRET, "2099-12-31T00:00:00Z")],
            vec![sp(TENANT_ID, NEWCOMER_OBJECT_ID)],
        ),
        app(
            ADMIN_CLIENT_ID,
            "platform-admin",
            vec![secret(ADMIN_SECRET, "2099-12-31T00:00:00Z")],
            vec![sp(TENANT_ID, ADMIN_OBJECT_ID)],
        ),
        App {
            consent: Consent::Granted,
            ..app(
                API_CLIENT_ID,
                "orders-api",
                vec![secret(API_SECRET, "2099-12-31T00:00:00Z")],
                vec![sp(TENANT_ID, API_OBJECT_ID)],
            )
        },
        App {
            redirect_uris: vec![PORTAL_REDIRECT_URI.into()],
            consent: Consent::Granted,
            ..app(
                PORTAL_CLIENT_ID,
                "orders-portal",
                vec![secret(PORTAL_SECRET, "2099-12-31T00:00:00Z")],
                vec![sp(TENANT_ID, "0b000000-0000-4000-8000-000000000015")],
            )
        },
        public_client(
            CLI_CLIENT_ID,
            "orders-cli",
            Consent::Granted,
            &[
                (TENANT_ID, "0b000000-0000-4000-8000-000000000014"),
                (FABRIKAM_TENANT_ID, "0b000000-0000-4000-8000-000000000042"),
            ],
        ),
        public_client(
            UNCONSENTED_CLIENT_ID,
            "reports-viewer",
            Consent::Ask,
            &[(TENANT_ID, "0b000000-0000-4000-8000-000000000016")],
        ),
        public_client(
            ADMIN_CONSENT_CLIENT_ID,
            "audit-tool",
            Consent::Admin,
            &[(TENANT_ID, "0b000000-0000-4000-8000-000000000017")],
        ),
    ]
}

fn public_client(client_id: &str, name: &str, consent: Consent, tenants: &[(&str, &str)]) -> App {
    App {
        client_id: client_id.into(),
        name: name.into(),
        service_principals: tenants
            .iter()
            .map(|(tenant, object_id)| ServicePrincipalEntry {
                tenant: (*tenant).into(),
                object_id: (*object_id).into(),
            })
            .collect(),
        public_client: true,
        redirect_uris: vec![LOCALHOST_REDIRECT_URI.into()],
        consent,
        ..App::default()
    }
}

fn users() -> Vec<User> {
    let user = |name: &str, object_id: &str, tenant: &str, display_name: &str, password: &str| User {
        name: name.into(),
        object_id: object_id.into(),
        tenant: tenant.into(),
        password: password.into(),
        display_name: Some(display_name.into()),
        ..User::default()
    };
    let contoso = |name: &str, number: u8, display_name: &str| {
        let object_id = format!("0b000000-0000-4000-8000-0000000000{number}");
        user(name, &object_id, TENANT_ID, display_name, USERS_PASSWORD)
    };
    let refused = |refusal, user| User { refusal: Some(refusal), ..user };
    vec![
        User {
            guest_in: vec![Guest { tenant: FABRIKAM_TENANT_ID.into(), object_id: GUEST_OBJECT_ID.into() }],
            ..user(USER_NAME, USER_OBJECT_ID, TENANT_ID, "Ada", USER_PASSWORD)
        },
        User { mfa: Mfa::Required, ..contoso(MFA_USER_NAME, 31, "Needs MFA") },
        User { mfa: Mfa::Register, ..contoso(REGISTER_MFA_USER_NAME, 32, "Registers for MFA") },
        refused(Refusal::Blocked, contoso(BLOCKED_USER_NAME, 33, "Blocked")),
        refused(Refusal::PasswordExpired, contoso(EXPIRED_PASSWORD_USER_NAME, 34, "Password expired")),
        refused(Refusal::Disabled, contoso(DISABLED_USER_NAME, 35, "Disabled")),
        refused(Refusal::Locked, contoso(LOCKED_USER_NAME, 36, "Locked")),
        user(FABRIKAM_USER_NAME, FABRIKAM_USER_OBJECT_ID, FABRIKAM_TENANT_ID, "Frank", USERS_PASSWORD),
        user(US_USER_NAME, "0b000000-0000-4000-8000-000000000037", US_TENANT_ID, "Ada", USER_PASSWORD),
        user(CHINA_USER_NAME, "0b000000-0000-4000-8000-000000000038", CHINA_TENANT_ID, "Ada", USER_PASSWORD),
    ]
}

fn role_assignments() -> Vec<RoleAssignmentEntry> {
    let production = format!("/subscriptions/{SUBSCRIPTION_ID}");
    let development = format!("/subscriptions/{DEVELOPMENT_SUBSCRIPTION_ID}");
    let group = format!("{production}/resourceGroups/{RESOURCE_GROUP}");
    let us = format!("/subscriptions/{US_SUBSCRIPTION_ID}");
    let china = format!("/subscriptions/{CHINA_SUBSCRIPTION_ID}");
    let fabrikam = format!("/subscriptions/{FABRIKAM_SUBSCRIPTION_ID}");
    let mut all = vec![
        (APP_OBJECT_ID, "Reader", production.as_str()),
        (APP_OBJECT_ID, "Reader", &development),
        (ADMIN_OBJECT_ID, "Owner", &production),
        (ADMIN_OBJECT_ID, "Owner", &development),
        (ADMIN_OBJECT_ID, "Key Vault Administrator", VAULT_RESOURCE_ID),
        (USER_OBJECT_ID, "Owner", &production),
        (GUEST_OBJECT_ID, "Key Vault Secrets User", &fabrikam),
        (FABRIKAM_USER_OBJECT_ID, "Owner", &fabrikam),
        (FABRIKAM_APP_OBJECT_ID, "Reader", &fabrikam),
        (FABRIKAM_APP_OBJECT_ID, "Key Vault Secrets User", &fabrikam),
    ];
    let hosts = [
        WEB_APP_OBJECT_ID,
        VIRTUAL_MACHINE_OBJECT_ID,
        CONTAINER_APP_OBJECT_ID,
        FABRIC_APPLICATION_OBJECT_ID,
        ARC_MACHINE_OBJECT_ID,
        ML_COMPUTE_OBJECT_ID,
        CONTAINER_GROUP_OBJECT_ID,
    ];
    all.extend(hosts.map(|host| (host, "Reader", group.as_str())));
    for principal in hosts.into_iter().chain([APP_OBJECT_ID, USER_ASSIGNED_OBJECT_ID, USER_OBJECT_ID]) {
        all.push((principal, "Storage Blob Data Contributor", STORAGE_RESOURCE_ID));
        all.push((principal, "Key Vault Secrets User", VAULT_RESOURCE_ID));
    }
    for (principal, scope) in [(US_APP_OBJECT_ID, &us), (CHINA_APP_OBJECT_ID, &china)] {
        for role in ["Reader", "Storage Blob Data Contributor", "Key Vault Secrets User"] {
            all.push((principal, role, scope));
        }
    }
    all.into_iter()
        .map(|(principal, role, scope)| RoleAssignmentEntry {
            principal: principal.into(),
            role: role.into(),
            scope: scope.into(),
        })
        .collect()
}

fn tenant(id: &str, domain: &str, name: &str, cloud: Cloud) -> Tenant {
    Tenant { id: id.into(), domain: domain.into(), name: name.into(), cloud }
}

fn subscription(id: &str, name: &str, tenant: &str, group: &str) -> Subscription {
    Subscription { id: id.into(), name: name.into(), tenant: tenant.into(), resource_groups: vec![group.into()] }
}

fn identity(name: &str, client_id: &str, object_id: &str) -> UserAssignedIdentity {
    UserAssignedIdentity {
        name: name.into(),
        client_id: client_id.into(),
        object_id: object_id.into(),
        subscription: SUBSCRIPTION_ID.into(),
        resource_group: RESOURCE_GROUP.into(),
        federated_credentials: Vec::new(),
    }
}

fn compute(name: &str, system: Option<(&str, &str)>, user_assigned: &[&str]) -> ComputeHost {
    ComputeHost {
        name: name.into(),
        parent: None,
        subscription: SUBSCRIPTION_ID.into(),
        resource_group: RESOURCE_GROUP.into(),
        system_assigned: system
            .map(|(client_id, object_id)| SystemAssigned { client_id: client_id.into(), object_id: object_id.into() }),
        user_assigned: user_assigned.iter().map(|name| (*name).into()).collect(),
    }
}

fn vault(name: &str, subscription: &str, group: &str) -> Vault {
    Vault {
        name: name.into(),
        subscription: subscription.into(),
        resource_group: group.into(),
        secrets: BTreeMap::from([(SECRET_NAME.into(), SECRET_VALUE.into())]),
    }
}

fn storage(name: &str, subscription: &str, group: &str) -> StorageAccount {
    StorageAccount {
        name: name.into(),
        subscription: subscription.into(),
        resource_group: group.into(),
        containers: vec![CONTAINER.into()],
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_built_in_world_obeys_its_own_rules() {
        super::built_in().check().expect("consistent");
    }
}
