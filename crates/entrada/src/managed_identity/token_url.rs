//! The query by which hosts are asked for a token. They differ in the names of the parameters, and in which they have.

use url::Url;

use super::UserAssignedId;
use super::answer::whose;
use crate::error::{Condition, Error};

/// What a host calls the ids of a user-assigned identity; `None` for a kind of id that it does not take.
pub(super) struct Parameters {
    pub(super) api_version: &'static str,
    pub(super) client_id: Option<&'static str>,
    pub(super) object_id: Option<&'static str>,
    pub(super) resource_id: Option<&'static str>,
}

impl Parameters {
    fn of(&self, id: &UserAssignedId) -> Option<&'static str> {
        match id {
            UserAssignedId::ClientId(_) => self.client_id,
            UserAssignedId::ObjectId(_) => self.object_id,
            UserAssignedId::ResourceId(_) => self.resource_id,
        }
    }

    /// Where to ask for a token for `resource` of the system-assigned identity, or of `id`.
    ///
    /// # Errors
    /// Where `host` could not understand `id`: it would answer with the token of another identity.
    pub(super) fn url(
        &self,
        host: &str,
        endpoint: &Url,
        resource: &str,
        id: Option<&UserAssignedId>,
    ) -> Result<Url, Error> {
        let mut url = endpoint.clone();
        {
            let mut query = url.query_pairs_mut();
            query.append_pair("api-version", self.api_version).append_pair("resource", resource);
            if let Some(id) = id {
                let name = self.of(id).ok_or_else(|| self.not_supported(host, id))?;
                query.append_pair(name, id.parts().1);
            }
        }
        Ok(url)
    }

    fn not_supported(&self, host: &str, id: &UserAssignedId) -> Error {
        let next = match self.client_id {
            Some(_) => "name it by its client id: `az identity show --query clientId` prints it",
            None => "leave the id out: which identity this host has is set up outside the program",
        };
        not_supported(host, id).next(next)
    }
}

/// That a host cannot be asked for an identity by an id; nothing was sent.
pub(super) fn not_supported(host: &str, id: &UserAssignedId) -> Error {
    Error::unavailable(format!("this {host} cannot be asked for {}", whose(Some(id))))
        .condition_of(Condition::IdentityNotSupported)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_that_a_host_would_overlook_is_refused() {
        let parameters =
            Parameters { api_version: "1", client_id: Some("clientid"), object_id: None, resource_id: None };
        let endpoint = Url::parse("http://127.0.0.1/token?kept=1").expect("a URL");
        let url = |id: UserAssignedId| parameters.url("host", &endpoint, "r", Some(&id)).map(String::from);
        assert_eq!(
            url(UserAssignedId::ClientId("c".into())).expect("taken"),
            "http://127.0.0.1/token?kept=1&api-version=1&resource=r&clientid=c"
        );
        let error = url(UserAssignedId::ObjectId("o".into())).expect_err("refused");
        assert_eq!(error.condition(), Some(Condition::IdentityNotSupported));
        assert!(error.to_string().contains("by its client id"), "{error}");
    }
}
