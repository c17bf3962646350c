//! Microsoft's own client apps, which every tenant knows and has consented to.
//!
//! Their ids are public
//! (<https://learn.microsoft.com/troubleshoot/entra/entra-id/governance/verify-first-party-apps-sign-in>). They are one
//! family: each takes the refresh tokens of the others, and answers with tokens say so (`foci`).

use crate::config::{App, Consent};
use crate::world;

/// The family that [`apps`] are of, as the field `foci` names it.
pub(crate) const FAMILY: &str = "1";

/// The apps.
pub(crate) fn apps() -> Vec<App> {
    [
        (world::AZURE_CLI_CLIENT_ID, "Microsoft Azure CLI"),
        (world::AZURE_POWERSHELL_CLIENT_ID, "Microsoft Azure PowerShell"),
        (world::VSCODE_CLIENT_ID, "Visual Studio Code"),
    ]
    .into_iter()
    .map(|(client_id, name)| App {
        client_id: client_id.into(),
        name: name.into(),
        public_client: true,
        redirect_uris: [
            "http://localhost",
            "http://127.0.0.1",
            "https://login.microsoftonline.com/common/oauth2/nativeclient",
            "urn:ietf:wg:oauth:2.0:oob",
        ]
        .map(str::to_owned)
        .to_vec(),
        consent: Consent::Granted,
        ..App::default()
    })
    .collect()
}
