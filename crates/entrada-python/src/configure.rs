//! From Python's arguments to the core's credentials.

use std::sync::Arc;
use std::time::Duration;

use entrada::{
    AzureCliCredential, AzureCliCredentialOptions, ChainedTokenCredential, ClientSecretCredential,
    ClientSecretCredentialOptions, Credential as Core, DefaultAzureCredential, DefaultAzureCredentialOptions,
    EntraOptions, EnvironmentCredential, EnvironmentCredentialOptions, Error, ExpectedIdentity,
    ManagedIdentityCredential, ManagedIdentityCredentialOptions, UserAssignedId,
};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use crate::arguments::text;
use crate::credential::Credential;

/// Makes a credential of the core. `options` is what the Python half has collected; a name that is left out, or `None`,
/// takes the core's default.
pub(crate) fn core(py: Python<'_>, kind: &str, options: &Bound<'_, PyDict>) -> PyResult<Arc<dyn Core>> {
    let given = Given(options);
    let made: Result<Arc<dyn Core>, Error> = match kind {
        "client secret" => {
            let tenant_id = given.text("tenant_id")?.unwrap_or_default();
            let client_id = given.text("client_id")?.unwrap_or_default();
            let secret = given.text("client_secret")?.unwrap_or_default();
            let options = ClientSecretCredentialOptions { entra: given.entra()? };
            ClientSecretCredential::new(&tenant_id, client_id, secret.into(), Some(options)).map(|made| made as _)
        }
        "managed identity" => ManagedIdentityCredential::new(Some(ManagedIdentityCredentialOptions {
            user_assigned_id: given.user_assigned_id()?,
            expected: ExpectedIdentity {
                tenant_id: given.text("expected_tenant_id")?,
                client_id: given.text("expected_client_id")?,
                object_id: given.text("expected_object_id")?,
            },
            timeout: given.seconds("timeout")?,
            share_between_processes: given.flag("share_between_processes")?.unwrap_or_default(),
            ..Default::default()
        }))
        .map(|made| made as _),
        "environment" => EnvironmentCredential::new(Some(EnvironmentCredentialOptions { entra: given.entra()? }))
            .map(|made| made as _),
        "Azure CLI" => AzureCliCredential::new(Some(AzureCliCredentialOptions {
            tenant_id: given.text("tenant_id")?.filter(|id| !id.is_empty()),
            subscription: given.text("subscription")?.filter(|name| !name.is_empty()),
            additionally_allowed_tenants: given.texts("additionally_allowed_tenants")?,
            process_timeout: given.seconds("process_timeout")?,
            ..Default::default()
        }))
        .map(|made| made as _),
        "default" => DefaultAzureCredential::new(Some(DefaultAzureCredentialOptions {
            exclude_environment: given.flag("exclude_environment")?,
            exclude_managed_identity: given.flag("exclude_managed_identity")?,
            exclude_azure_cli: given.flag("exclude_azure_cli")?,
            user_assigned_id: given.user_assigned_id()?,
            system_assigned: given.flag("system_assigned")?.unwrap_or_default(),
            share_between_processes: given.flag("share_between_processes")?.unwrap_or_default(),
            authority: given.text("authority")?,
            additionally_allowed_tenants: given.texts("additionally_allowed_tenants")?,
            process_timeout: given.seconds("process_timeout")?,
            ..Default::default()
        }))
        .map(|made| made as _),
        "chain" => ChainedTokenCredential::new(given.members()?).map(|made| made as _),
        _ => return Err(PyValueError::new_err(format!("there is no credential {kind:?}"))),
    };
    made.map_err(|error| PyValueError::new_err(error.to_string())).inspect_err(|error| error.set_cause(py, None))
}

/// The options as Python gave them.
struct Given<'a, 'py>(&'a Bound<'py, PyDict>);

impl<'py> Given<'_, 'py> {
    fn get(&self, name: &str) -> PyResult<Option<Bound<'py, PyAny>>> {
        Ok(self.0.get_item(name)?.filter(|value| !value.is_none()))
    }

    /// A text; here an empty one is not left out but wrong, and the core says so.
    fn text(&self, name: &str) -> PyResult<Option<String>> {
        let Some(value) = self.get(name)? else {
            return Ok(None);
        };
        Ok(Some(text(name, Some(&value))?.unwrap_or_default().to_owned()))
    }

    fn texts(&self, name: &str) -> PyResult<Vec<String>> {
        let Some(values) = self.get(name)? else {
            return Ok(Vec::new());
        };
        let wrong = || PyTypeError::new_err(format!("{name} is a list of str"));
        if values.is_instance_of::<PyString>() {
            return Err(wrong());
        }
        values.try_iter().map_err(|_| wrong())?.map(|value| value?.extract().map_err(|_| wrong())).collect()
    }

    fn flag(&self, name: &str) -> PyResult<Option<bool>> {
        self.get(name)?.map(|value| value.is_truthy()).transpose()
    }

    fn seconds(&self, name: &str) -> PyResult<Option<Duration>> {
        let Some(value) = self.get(name)? else {
            return Ok(None);
        };
        let wrong = |_| PyTypeError::new_err(format!("{name} is a number of seconds"));
        let seconds: f64 = value.extract().map_err(wrong)?;
        Duration::try_from_secs_f64(seconds)
            .map(Some)
            .map_err(|_| PyValueError::new_err(format!("{name} is {seconds}; it is a positive number of seconds")))
    }

    /// What all credentials have that ask Entra.
    fn entra(&self) -> PyResult<EntraOptions> {
        Ok(EntraOptions {
            authority: self.text("authority")?,
            additionally_allowed_tenants: self.texts("additionally_allowed_tenants")?,
            ..Default::default()
        })
    }

    fn user_assigned_id(&self) -> PyResult<Option<UserAssignedId>> {
        for (name, make) in [
            ("identity_client_id", UserAssignedId::ClientId as fn(String) -> _),
            ("identity_object_id", UserAssignedId::ObjectId),
            ("identity_resource_id", UserAssignedId::ResourceId),
        ] {
            if let Some(id) = self.text(name)? {
                return Ok(Some(make(id)));
            }
        }
        Ok(None)
    }

    fn members(&self) -> PyResult<Vec<Arc<dyn Core>>> {
        let wrong = || PyTypeError::new_err("a chain consists of credentials");
        let Some(members) = self.get("credentials")? else {
            return Err(wrong());
        };
        members
            .try_iter()?
            .map(|member| {
                let member = member?;
                let member = member.cast::<Credential>().map_err(|_| wrong())?;
                member.get().core().map(Arc::clone).ok_or_else(wrong)
            })
            .collect()
    }
}
