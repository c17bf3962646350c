//! A small, strict Azure on this machine.
//!
//! The emulator answers on loopback under Azure's public names, so that a program signs in and uses Azure
//! without a change and without a network: Entra for the public and the sovereign clouds, the managed-identity
//! endpoints of every host that has one, Key Vault secrets, Resource Manager and Blob storage.
//! Tokens are real: RS256 JWTs under a published key set, with the claims of Entra's own. Every service checks
//! their signature, issuer, audience and expiry, and the caller's role, and refuses with the codes, bodies and
//! headers of the real one.
//!
//! # How a program gets in
//!
//! [`Emulator::environment`] is the environment of a child process. It points the proxy variables at the
//! **gateway**, a proxy that ends TLS for the public names with a certificate authority made for the run,
//! answers for them and dials nothing; every other name is refused. It makes that authority trusted in the
//! child only, and places the child on a [`Host`]:
//!
//! | host | shows itself by | speaks |
//! |---|---|---|
//! | `laptop` | | no managed identity |
//! | `app-service` | `IDENTITY_ENDPOINT`, `IDENTITY_HEADER`, `WEBSITE_…` | App Service, 2019-08-01 |
//! | `app-service-legacy` | `MSI_ENDPOINT`, `MSI_SECRET`, `WEBSITE_…` | App Service, 2017-09-01 |
//! | `container-app` | `IDENTITY_ENDPOINT`, `IDENTITY_HEADER`, `CONTAINER_APP_…` | App Service, 2019-08-01 |
//! | `service-fabric` | `IDENTITY_ENDPOINT` (https), `IDENTITY_HEADER`, `IDENTITY_SERVER_THUMBPRINT` | 2019-07-01-preview, behind a certificate that signed itself |
//! | `azure-arc` | `IDENTITY_ENDPOINT`, `IMDS_ENDPOINT` | 2020-06-01 and 2019-11-01, after a challenge with a file |
//! | `azure-ml` | `MSI_ENDPOINT`, `MSI_SECRET`, `DEFAULT_IDENTITY_CLIENT_ID`, `AZUREML_RUN_ID` | 2017-09-01 |
//! | `cloud-shell` | `MSI_ENDPOINT` | a POST; the token is the user's |
//! | `virtual-machine` | `AZURE_POD_IDENTITY_AUTHORITY_HOST` | the metadata service, also at 169.254.169.254 |
//! | `container-instance` | `AZURE_POD_IDENTITY_AUTHORITY_HOST` | the same, from two seconds after the start on |
//! | `kubernetes` | `AZURE_FEDERATED_TOKEN_FILE`, `AZURE_CLIENT_ID`, `AZURE_TENANT_ID`, `AZURE_AUTHORITY_HOST` | Entra, with a service-account token |
//! | `github-actions` | `ACTIONS_ID_TOKEN_REQUEST_URL`, `ACTIONS_ID_TOKEN_REQUEST_TOKEN`, `AZURE_CLIENT_ID`, `AZURE_TENANT_ID` | Entra, with a token of the job from GitHub |
//! | `azure-pipelines` | `SYSTEM_OIDCREQUESTURI`, `SYSTEM_ACCESSTOKEN`, `AZURESUBSCRIPTION_…` | Entra, with a token of the service connection from Azure DevOps |
//! | `kubernetes-identity-binding` | the same, `AZURE_KUBERNETES_TOKEN_PROXY`, `…_SNI_NAME`, `…_CA_FILE` | Entra behind the cluster's proxy |
//!
//! The files of Azure Arc's challenge lie where its agent puts them, which takes the right to write there;
//! [`Config::arc_key_folder`](config::Config::arc_key_folder) names another place. [`Emulator::prepare`] says at once
//! whether it can be written.
//!
//! # Example
//!
//! ```
//! use entrada_emulator::{Config, Emulator, Host, world};
//!
//! # tokio::runtime::Runtime::new()?.block_on(async {
//! let emulator = Emulator::start(Config::default()).await?;
//!
//! // What a child process needs, on a virtual machine.
//! let environment = emulator.environment(Host::VirtualMachine);
//! assert!(environment.iter().any(|(name, _)| name == "HTTPS_PROXY"));
//!
//! // The newcomer app has no role; give it one.
//! emulator.assign_role(world::NEWCOMER_OBJECT_ID, "Key Vault Secrets User", world::VAULT_RESOURCE_ID)?;
//!
//! // What was asked and answered so far.
//! assert!(emulator.journal().entries().is_empty());
//!
//! emulator.shutdown().await;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # The built-in world
//!
//! [`Config::default`] describes the world below; [`world`] has it as constants. All secrets are fakes.
//!
//! | what | name | client id | object id | roles |
//! |---|---|---|---|---|
//! | tenant | `contoso.onmicrosoft.com` | `7e…01` (tenant id) | | |
//! | tenant, US Government | `contoso.onmicrosoft.us` | `7e…02` (tenant id) | | |
//! | tenant, China | `contoso.partner.onmschina.cn` | `7e…03` (tenant id) | | |
//! | tenant of a partner | `fabrikam.onmicrosoft.com` | `7e…04` (tenant id) | | |
//! | app, in all tenants | `orders-ci` | `c1…01` | `0b…01` (US `…12`, China `…13`, Fabrikam `…41`) | Reader on both subscriptions, Key Vault Secrets User, Storage Blob Data Contributor |
//! | app | `newcomer` | `c1…02` | `0b…02` | none |
//! | app | `platform-admin` | `c1…08` | `0b…08` | Owner, Key Vault Administrator |
//! | web app, system-assigned | `orders-web` | `c1…03` | `0b…03` | Reader on `orders-rg`, Key Vault Secrets User, Storage Blob Data Contributor |
//! | virtual machine, system-assigned | `build-vm` | `c1…04` | `0b…04` | as `orders-web` |
//! | virtual machine without one | `worker-vm` | | | |
//! | container app, system-assigned | `orders-api` | `c1…20` | `0b…20` | as `orders-web` |
//! | Service Fabric application on `orders-cluster`, system-assigned | `orders-fabric` | `c1…21` | `0b…21` | as `orders-web` |
//! | Arc machine, system-assigned | `orders-arc` | `c1…22` | `0b…22` | as `orders-web` |
//! | ML compute in `orders-workspace`, system-assigned | `orders-ml` | `c1…23` | `0b…23` | as `orders-web` |
//! | container group, system-assigned | `orders-group` | `c1…24` | `0b…24` | as `orders-web` |
//! | user-assigned identity, on all of these | `orders-identity` | `c1…05` | `0b…05` | Key Vault Secrets User, Storage Blob Data Contributor |
//! | user-assigned identity, on the two virtual machines | `reports-identity` | `c1…06` | `0b…06` | none |
//! | public client, consented to, also in Fabrikam | `orders-cli` | `c1…14` | `0b…14` | |
//! | web app, consented to | `orders-portal` | `c1…15` | `0b…15` | |
//! | public client that nobody has consented to | `reports-viewer` | `c1…16` | `0b…16` | |
//! | public client that needs an administrator's consent | `audit-tool` | `c1…17` | `0b…17` | |
//! | user, guest in Fabrikam as `0b…40` | `ada@contoso.onmicrosoft.com` | | `0b…07` | Owner, Key Vault Secrets User, Storage Blob Data Contributor |
//! | user who needs a second proof | `needs-mfa@contoso.onmicrosoft.com` | | `0b…31` | |
//! | user who has to register for one | `registers-mfa@contoso.onmicrosoft.com` | | `0b…32` | |
//! | user whom conditional access blocks | `blocked@contoso.onmicrosoft.com` | | `0b…33` | |
//! | user whose password has expired | `password-expired@contoso.onmicrosoft.com` | | `0b…34` | |
//! | user who is disabled | `disabled@contoso.onmicrosoft.com` | | `0b…35` | |
//! | user who is locked out | `locked@contoso.onmicrosoft.com` | | `0b…36` | |
//! | user of the partner | `frank@fabrikam.onmicrosoft.com` | | `0b…39` | Owner there |
//! | users of the sovereign tenants | `ada@contoso.onmicrosoft.us`, `ada@contoso.partner.onmschina.cn` | | `0b…37`, `0b…38` | |
//! | users without end, the crowd; see [`world::crowd_user`] | `user-0@contoso.onmicrosoft.com`, … | | `0c…` | none |
//! | API with v2 tokens at `https://orders-api.contoso.example`, and its app | `api://orders-api` | `c1…09` | `0b…09` | none |
//! | vault | `https://contoso-vault.vault.azure.net` | | | holds the secret `database-password` |
//! | storage account | `https://contosostore.blob.core.windows.net` | | | holds the container `orders` |
//! | AD FS | `https://adfs.contoso.example/adfs` | | | all apps |
//! | authority that nobody vouches for | `https://login.stack.contoso.example:3001/sts` | | | the public cloud's tenants |
//! | subscriptions | Contoso Production, Contoso Development | `5b…01`, `5b…02` (ids) | | |
//!
//! On the AKS cluster `orders-aks` the service account `orders-sa` of the namespace `orders` is trusted as
//! `orders-identity`. The app `orders-ci` trusts the workflow of `contoso/orders` on `main` of GitHub Actions, the service
//! connection `azure-orders` of Azure Pipelines, and `orders-identity`. `7e…01` stands for `7e000000-0000-4000-8000-000000000001`, and so on. The sovereign tenants have a
//! subscription, the vaults `contoso-us-vault` and `contoso-cn-vault`, and the storage accounts `contosousstore`
//! and `contosocnstore`, in which `orders-ci` has its roles.
//!
//! # Users and their sign-in
//!
//! Users sign in by authorization code (with PKCE), device code, password and refresh token, at the v1 and the v2
//! endpoints; `openid`, `offline_access` and `client_info` are answered as Entra does. To an app that sends a browser to
//! `oauth2/v2.0/authorize`, the emulator shows pages: name, password, second proof, consent. They need no script and
//! load nothing. Their fields and buttons have the names and ids of Entra's own, for programs that drive a browser:
//!
//! | page | fields | buttons |
//! |---|---|---|
//! | name | `loginfmt` (`#i0116`) | `#idSIButton9`, `#idBtn_Back` cancels |
//! | password | `passwd` (`#i0118`) | `#idSIButton9`, `#idBtn_Back` for another account |
//! | accounts that are signed in | | `button[name=account]`, `#otherTile` |
//! | second proof | `otc` (`#idTxtBx_SAOTCC_OTC`); the code is shown in `#authenticatorCode` | `#idSubmit_SAOTCC_Continue` |
//! | registration for it | | `#idSubmit_ProofUp_Redirect` |
//! | expired password | `currentpasswd`, `newpasswd`, `confirmnewpasswd` | `#idSIButton9` |
//! | consent | | `#idSIButton9` accepts, `#idBtn_Back` declines |
//! | code of a device, at `https://microsoft.com/devicelogin` | `otc` (`#otc`) | `#idSIButton9` |
//! | what is refused | `#exceptionMessageContainer`, `#errorCode`, `#correlationId` | `#idSIButton9` goes back to the app, which is told |
//!
//! How long codes and refresh tokens are good is set in [`Lifetimes`](config::Lifetimes).
//!
//! Where no person is, [`Emulator::sign_in_as`] names the user who signs in: then authorize answers at once, and a device
//! code is approved at the second poll. Microsoft's own public clients (the Azure CLI, Azure PowerShell, Visual Studio
//! Code) are known in every tenant, and are one family of clients for refresh tokens.
//!
//! A certificate is made for each run, and signs `orders-ci` and `orders-api` in. A program finds it, with its key, as
//! PEM in `ENTRADA_EMULATOR_CERTIFICATE`, as PEM with the key encrypted in `ENTRADA_EMULATOR_CERTIFICATE_ENCRYPTED`, as
//! PKCS#12 in `ENTRADA_EMULATOR_CERTIFICATE_PFX`, and the password of the last two in
//! `ENTRADA_EMULATOR_CERTIFICATE_PASSWORD`.
//!
//! The regional endpoints of Entra, such as `westeurope.login.microsoft.com`, serve `orders-ci`, which stands for one of
//! Microsoft's own apps there.
//!
//! # A world of one's own
//!
//! A TOML file adds to the built-in world, or describes a whole one after `world = "empty"`:
//!
//! ```
//! let config = entrada_emulator::Config::from_toml(r#"
//!     [[vaults]]
//!     name = "team-vault"
//!     subscription = "5b000000-0000-4000-8000-000000000001"
//!     resource_group = "orders-rg"
//!     secrets = { api-key = "not-a-real-key" }
//!
//!     [[role_assignments]]
//!     principal = "0b000000-0000-4000-8000-000000000002"
//!     role = "Key Vault Secrets User"
//!     scope = "/subscriptions/5b000000-0000-4000-8000-000000000001/resourceGroups/orders-rg"
//!
//!     ## A person of one's own, who has to show a second proof, and the program that signs them in.
//!     [[users]]
//!     name = "grace@contoso.onmicrosoft.com"
//!     object_id = "0b000000-0000-4000-8000-0000000000a1"
//!     tenant = "7e000000-0000-4000-8000-000000000001"
//!     password = "not-a-real-password"
//!     mfa = "required"
//!
//!     [[apps]]
//!     client_id = "c1000000-0000-4000-8000-0000000000a1"
//!     name = "team-tool"
//!     service_principals = [{ tenant = "7e000000-0000-4000-8000-000000000001", object_id = "0b000000-0000-4000-8000-0000000000a2" }]
//!     public_client = true
//!     redirect_uris = ["http://localhost"]
//!     consent = "granted"
//!
//!     ## The metadata service is busy twice, then answers.
//!     [[faults]]
//!     match = { service = "imds" }
//!     times = 2
//!     respond = { status = 429, json = { error = "invalid_request", error_description = "Temporarily throttled, too many requests" } }
//! "#)?;
//! assert!(config.vaults.iter().any(|vault| vault.name == "team-vault"));
//! # Ok::<(), entrada_emulator::ConfigError>(())
//! ```
//!
//! # The control endpoint
//!
//! A program inside finds it in `ENTRADA_EMULATOR_URL` and sends the value of `ENTRADA_EMULATOR_KEY` in the
//! header [`KEY_HEADER`]. It speaks JSON:
//!
//! | request | does |
//! |---|---|
//! | `GET /status` | version, names that are answered, endpoints of the hosts, counts |
//! | `GET /journal`, `GET /journal?after=N`, `DELETE /journal` | every [`Exchange`], or those after number N; forgets them |
//! | `GET`, `PUT`, `DELETE /faults` | lists, replaces, removes [`FaultRule`]s; one, or a list |
//! | `GET`, `PUT`, `DELETE /role-assignments` | `{"principal", "role", "scope"}`; one, or a list |
//! | `PUT /identity-header` | rotates `IDENTITY_HEADER` and `MSI_SECRET` and answers the new value |
//! | `PUT`, `DELETE /certificates` | registers a certificate for an app, `{"client_id", "pem"}`; one, or a list; removes all of an app's, `{"client_id"}` |
//! | `GET`, `PUT`, `DELETE /challenges` | lists, replaces, removes what resource servers demand of tokens, [`Challenge`]s; one, or a list |
//! | `POST /assertions` | a token of an issuer that the run signs for, `{"issuer", "subject", "audience", "expires_in", "valid_in", "claims"}`, the last four of which may be left out; answers `{"assertion"}` |
//! | `POST /user-tokens` | a user's token, without anybody signing in: `{"user", "client_id", "scope", "expires_in", "mfa", "takes_challenges"}`, or `{"first", "count"}` for so many of the crowd; each may be left out; answers `{"tokens"}` |
//! | `PUT`, `DELETE /sign-in` | `{"user"}` signs in wherever somebody is asked to; a person does again |
//! | `GET`, `PUT /users` | every user as they are; changes one: `{"user", "password", "mfa", "refusal"}`, of which what is left out stays |
//! | `DELETE /sessions` | `{"user"}`: ends the user's sessions and refresh tokens |
//! | `PUT`, `DELETE /consents` | `{"client_id", "user"}`; without a user it is an administrator's, and everyone's |
//! | `GET`, `PUT`, `DELETE /device-codes` | the codes that devices wait with; approves one, `{"user_code", "user"}`; declines one, `{"user_code"}` |
//! | `PUT`, `DELETE /federated-token` | rewrites the service-account token, `{"expires_in", "subject", "issuer", "audience"}`, each of which may be left out; removes it |

// A refusal is an answer like any other, and is sent, not carried up through many frames.
#![allow(clippy::result_large_err)]

mod assertions_seen;
mod authorities;
mod authority;
mod blob;
mod body;
mod browse;
mod call;
mod certificates;
mod challenges;
mod clock;
mod cloud;
mod compute;
pub mod config;
mod config_check;
mod config_file;
mod config_hosts;
mod config_users;
mod control;
mod control_users;
mod crowd;
mod directory;
mod emulator;
mod emulator_users;
mod endpoint_tls;
mod entra;
mod environment;
mod exchange;
pub mod faults;
mod federated_token;
mod first_party;
mod gateway;
mod graph;
mod host;
mod host_identities;
mod identity_header;
mod issuers;
pub mod journal;
mod jwt;
mod key_vault;
mod managed_identity;
mod own_api;
mod people;
mod port;
mod rbac;
mod resource_manager;
mod resources;
mod role_changes;
mod services;
mod signing_key;
mod state;
mod tokens;
mod user_assertions;
mod user_changes;
mod user_tokens;
pub mod world;

pub use browse::{BrowseError, browse};
pub use certificates::CertificateError;
pub use certificates::run::CertificateFiles;
pub use challenges::Challenge;
pub use config::{Config, ConfigError};
pub use control::KEY_HEADER;
pub use emulator::{Emulator, StartError};
pub use faults::{FaultRule, Faults};
pub use host::Host;
pub use issuers::{AssertionError, AssertionWish};
pub use journal::{Exchange, Journal, Service};
pub use rbac::AssignError;
pub use user_assertions::{UserTokenError, UserTokenWish};
pub use user_changes::UserError;
