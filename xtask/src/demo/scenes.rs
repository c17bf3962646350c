//! What the demo shows: programs from `examples/`, where each runs, and what must come of it.

use super::journal::Exchange;
use super::sign_in::{Credential, Host, SignIn};

/// One program in one place.
pub(crate) struct Scene {
    /// Chooses it on the command line.
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    /// The emulator's `--host`.
    pub(crate) host: &'static str,
    /// Who signs in wherever somebody has to: the emulator's `--sign-in-as`.
    pub(crate) person: Option<&'static str>,
    pub(crate) program: Program,
    /// The environment a user would set.
    pub(crate) environment: &'static [(&'static str, &'static str)],
    /// Whether the program prints the time of day before each line: lines and requests are shown as they alternate.
    pub(crate) timeline: bool,
    /// What must have happened, beside what holds for every program.
    pub(crate) check: fn(&Story) -> Result<(), String>,
}

/// A program to run.
#[derive(Clone, Copy)]
pub(crate) enum Program {
    /// A file of `examples/python` that imports `azure.identity`, through `python -m entrada`.
    Unmodified(&'static str),
    /// A file of `examples/python` that imports `entrada`.
    Python(&'static str),
    /// A binary of `examples/rust`.
    Rust(&'static str),
}

/// What happened.
pub(crate) struct Story {
    /// Lines the program printed, with the time of day in milliseconds where it printed that.
    pub(crate) lines: Vec<(Option<u64>, String)>,
    pub(crate) exchanges: Vec<Exchange>,
    pub(crate) sign_ins: Vec<SignIn>,
}

const TENANT: (&str, &str) = ("AZURE_TENANT_ID", "7e000000-0000-4000-8000-000000000001");
const SERVICE_PRINCIPAL: &[(&str, &str)] = &[
    TENANT,
    ("AZURE_CLIENT_ID", "c1000000-0000-4000-8000-000000000001"),
    ("AZURE_CLIENT_SECRET", "orders-ci~fake.secret"),
];
const PERSON: &str = "ada@contoso.onmicrosoft.com";
const USER_ASSIGNED: &[(&str, &str)] = &[("AZURE_CLIENT_ID", "c1000000-0000-4000-8000-000000000005")];
const NEWCOMER_AND_ADMINISTRATOR: &[(&str, &str)] = &[
    TENANT,
    ("AZURE_SUBSCRIPTION_ID", "5b000000-0000-4000-8000-000000000001"),
    ("NEWCOMER_CLIENT_ID", "c1000000-0000-4000-8000-000000000002"),
    ("NEWCOMER_OBJECT_ID", "0b000000-0000-4000-8000-000000000002"),
    ("NEWCOMER_CLIENT_SECRET", "newcomer~fake.secret"),
    ("ADMIN_CLIENT_ID", "c1000000-0000-4000-8000-000000000008"),
    ("ADMIN_CLIENT_SECRET", "platform-admin~fake.secret"),
];

const fn system_assigned(host: Host) -> Credential {
    Credential::ManagedIdentity { host, user_assigned: false }
}

const fn user_assigned(host: Host) -> Credential {
    Credential::ManagedIdentity { host, user_assigned: true }
}

/// The blobs program on one more host.
const fn blobs(name: &'static str, title: &'static str, check: fn(&Story) -> Result<(), String>) -> Scene {
    Scene {
        name,
        title,
        host: name,
        person: None,
        program: Program::Unmodified("upload_blobs.py"),
        environment: &[],
        timeline: false,
        check,
    }
}

/// A way to sign in that reads a secret, on the host of its name.
const fn secret_of(
    name: &'static str,
    title: &'static str,
    file: &'static str,
    check: fn(&Story) -> Result<(), String>,
) -> Scene {
    Scene {
        name,
        title,
        host: name,
        person: None,
        program: Program::Unmodified(file),
        environment: &[],
        timeline: false,
        check,
    }
}

/// Every scene, in the order of the demo.
pub(crate) const SCENES: &[Scene] = &[
    Scene {
        name: "app-service",
        title: "A web app uploads and lists blobs with its own identity",
        host: "app-service",
        person: None,
        program: Program::Unmodified("upload_blobs.py"),
        environment: &[],
        timeline: false,
        check: |story| story.signed_in_with(system_assigned(Host::AppService)),
    },
    Scene {
        name: "vm",
        title: "The same program on a virtual machine",
        host: "vm",
        person: None,
        program: Program::Unmodified("upload_blobs.py"),
        environment: &[],
        timeline: false,
        check: |story| story.signed_in_with(system_assigned(Host::Imds)),
    },
    Scene {
        name: "user-assigned",
        title: "The same program with a user-assigned identity",
        host: "app-service",
        person: None,
        program: Program::Unmodified("upload_blobs.py"),
        environment: USER_ASSIGNED,
        timeline: false,
        check: |story| story.signed_in_with(user_assigned(Host::AppService)),
    },
    blobs("service-fabric", "On Service Fabric, whose certificate is pinned", |story| {
        story.signed_in_with(system_assigned(Host::ServiceFabric))
    }),
    blobs("azure-arc", "On a machine with Azure Arc, which challenges", |story| {
        story.signed_in_with(system_assigned(Host::AzureArc))
    }),
    blobs("azure-ml", "On a compute of Azure Machine Learning, with the identity that it names", |story| {
        story.signed_in_with(user_assigned(Host::AzureMl))
    }),
    blobs("container-instance", "In a container whose metadata service starts two seconds later", |story| {
        story.signed_in_with(system_assigned(Host::Imds))
    }),
    blobs("kubernetes", "In a pod with workload identity", |story| story.signed_in_with(Credential::WorkloadIdentity)),
    blobs("kubernetes-identity-binding", "In a pod with an identity binding, through the cluster's proxy", |story| {
        story.signed_in_with(Credential::WorkloadIdentity)
    }),
    Scene {
        name: "cloud-shell",
        title: "In Cloud Shell, with the identity of the person in it",
        host: "cloud-shell",
        person: None,
        program: Program::Unmodified("list_subscriptions.py"),
        environment: &[],
        timeline: false,
        check: |story| story.signed_in_with(system_assigned(Host::CloudShell)),
    },
    secret_of(
        "github-actions",
        "A job of GitHub Actions reads a secret, and has none of its own",
        "sign_in/github_actions.py",
        |story| story.signed_in_with(Credential::GitHubActions),
    ),
    secret_of(
        "azure-pipelines",
        "A job of Azure Pipelines, with its service connection",
        "sign_in/azure_pipelines.py",
        |story| story.signed_in_with(Credential::AzurePipelines),
    ),
    Scene {
        person: Some(PERSON),
        host: "laptop",
        ..secret_of("browser", "A person signs in at the browser", "sign_in/browser.py", |story| {
            story.signed_in_with(Credential::Browser)
        })
    },
    Scene {
        person: Some(PERSON),
        host: "laptop",
        ..secret_of(
            "device-code",
            "A person signs in with a code, on another device",
            "sign_in/device_code.py",
            |story| story.signed_in_with(Credential::DeviceCode),
        )
    },
    Scene {
        name: "hosted",
        title: "An app that looks where it runs: on App Service",
        host: "app-service",
        person: None,
        program: Program::Unmodified("web_app.py"),
        environment: &[],
        timeline: false,
        check: |story| story.signed_in_with(system_assigned(Host::AppService)),
    },
    Scene {
        name: "not-hosted",
        title: "The same app on a developer's machine",
        host: "laptop",
        person: None,
        program: Program::Unmodified("web_app.py"),
        environment: SERVICE_PRINCIPAL,
        timeline: false,
        check: |story| story.signed_in_with(Credential::Environment),
    },
    Scene {
        name: "secret",
        title: "A service principal reads a secret; nothing is sent before the first operation",
        host: "laptop",
        person: None,
        program: Program::Unmodified("read_secret.py"),
        environment: SERVICE_PRINCIPAL,
        timeline: true,
        check: |story| story.signed_in_with(Credential::Environment).and_then(|()| story.silent_until_first_line()),
    },
    Scene {
        name: "subscriptions",
        title: "DefaultAzureCredential lists subscriptions",
        host: "laptop",
        person: None,
        program: Program::Unmodified("list_subscriptions.py"),
        environment: SERVICE_PRINCIPAL,
        timeline: false,
        check: |story| story.signed_in_with(Credential::Environment),
    },
    Scene {
        name: "async",
        title: "Its async twin, on asyncio",
        host: "laptop",
        person: None,
        program: Program::Python("list_subscriptions_async.py"),
        environment: SERVICE_PRINCIPAL,
        timeline: false,
        check: |story| story.signed_in_with(Credential::Environment),
    },
    Scene {
        name: "role",
        title: "A secret before its role is assigned, and after",
        host: "laptop",
        person: None,
        program: Program::Python("assign_role.py"),
        environment: NEWCOMER_AND_ADMINISTRATOR,
        timeline: false,
        check: Story::refused_then_allowed,
    },
    Scene {
        name: "rust-secret",
        title: "Rust: azure_security_keyvault_secrets reads a secret",
        host: "laptop",
        person: None,
        program: Program::Rust("read-secret"),
        environment: SERVICE_PRINCIPAL,
        timeline: false,
        check: |story| story.signed_in_with(Credential::Environment),
    },
    Scene {
        name: "rust-blob",
        title: "Rust: azure_storage_blob uploads and lists on a virtual machine",
        host: "vm",
        person: None,
        program: Program::Rust("upload-blob"),
        environment: &[],
        timeline: false,
        check: |story| story.signed_in_with(system_assigned(Host::Imds)),
    },
];

impl Story {
    /// What holds for every program that works.
    pub(crate) fn is_told(&self) -> Result<(), String> {
        if let Some(refused) = self.exchanges.iter().find(|exchange| exchange.service == "gateway") {
            let why = refused.note.as_deref().unwrap_or("no reason was given");
            return Err(format!("it asked for {}, which the emulator refused: {why}", refused.host));
        }
        if self.sign_ins.is_empty() {
            return Err("nobody signed in: the journal has no token request".into());
        }
        if let Some(many) = self.sign_ins.iter().find(|sign_in| sign_in.requests != 1) {
            return Err(format!("one token request was enough for {}, and {} were made", many.audience, many.requests));
        }
        // By object id: a service knows a user, and not the app in which they signed in.
        let used = |sign_in: &SignIn| {
            self.exchanges.iter().any(|exchange| {
                let who = exchange.principal.as_ref().map(|principal| &principal.object_id);
                exchange.is_use() && exchange.succeeded() && who == Some(&sign_in.principal.object_id)
            })
        };
        match self.sign_ins.iter().find(|sign_in| !used(sign_in)) {
            Some(unused) => Err(format!("{} signed in, and no service let it in", unused.principal.name)),
            None => Ok(()),
        }
    }

    fn signed_in_with(&self, credential: Credential) -> Result<(), String> {
        if self.sign_ins.iter().all(|sign_in| sign_in.credential == credential) {
            return Ok(());
        }
        let found: Vec<String> = self.sign_ins.iter().map(|sign_in| sign_in.credential.proof()).collect();
        Err(format!("it should have signed in with a {}, and did with: {}", credential.proof(), found.join("; ")))
    }

    fn silent_until_first_line(&self) -> Result<(), String> {
        let Some(first) = self.lines.iter().find_map(|(time, _)| *time) else {
            return Err("it printed no time".into());
        };
        match self.exchanges.iter().find(|exchange| time_of_day(exchange.started) < first) {
            Some(early) => Err(format!("{} {} was sent before the first operation", early.method, early.host)),
            None => Ok(()),
        }
    }

    fn refused_then_allowed(&self) -> Result<(), String> {
        let refused =
            self.exchanges.iter().position(|exchange| exchange.service == "key-vault" && exchange.status == 403);
        let Some(refused) = refused else {
            return Err("the secret was not refused before the role was assigned".into());
        };
        let first = &self.exchanges[refused];
        let again = self.exchanges[refused..].iter().any(|exchange| {
            exchange.path == first.path && exchange.principal == first.principal && exchange.succeeded()
        });
        if again { Ok(()) } else { Err("the secret was still refused after the role was assigned".into()) }
    }
}

/// The time of day of a moment, UTC, in milliseconds.
pub(crate) fn time_of_day(unix_ms: u64) -> u64 {
    unix_ms % 86_400_000
}

#[cfg(test)]
mod tests {
    use super::{SCENES, Story};
    use crate::demo::journal::{Exchange, Principal};

    #[test]
    fn names_choose_one_scene() {
        let mut names: Vec<_> = SCENES.iter().map(|scene| scene.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), SCENES.len());
    }

    fn story(exchanges: Vec<Exchange>) -> Story {
        Story { lines: vec![(Some(1_000), "ready".into())], sign_ins: Vec::new(), exchanges }
    }

    #[test]
    fn a_request_before_the_first_line_is_seen() {
        let at = |started| Exchange { started, ..Exchange::default() };
        assert!(story(vec![at(86_400_999)]).silent_until_first_line().is_err());
        assert!(story(vec![at(86_401_000)]).silent_until_first_line().is_ok());
    }

    #[test]
    fn a_role_is_seen_to_matter() {
        let answer = |status| Exchange {
            service: "key-vault".into(),
            path: "/secrets/a".into(),
            status,
            principal: Some(Principal::default()),
            ..Exchange::default()
        };
        assert!(story(vec![answer(403), answer(200)]).refused_then_allowed().is_ok());
        assert!(story(vec![answer(200), answer(403)]).refused_then_allowed().is_err());
        assert!(story(vec![answer(200)]).refused_then_allowed().is_err());
    }
}
