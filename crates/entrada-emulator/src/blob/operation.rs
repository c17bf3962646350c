//! What a request to Blob asks for, and the permission it takes.

use super::{blobs, containers, is_container_name, problem};
use crate::call::{Call, Reply, decode};
use crate::config::StorageAccount;
use crate::rbac::roles::Plane;
use crate::state::State;
use http::Method;

/// Longest name of a blob, in characters.
const LONGEST_NAME: usize = 1024;

/// A place in an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Account,
    Container(String),
    Blob(String, String),
}

/// A request, as storage understands it.
#[derive(Debug)]
pub(super) struct Operation {
    place: Place,
    method: Method,
    /// The value of `comp`, empty without one.
    comp: String,
}

impl Operation {
    pub(super) fn of(call: &Call) -> Result<Self, Reply> {
        let comp = call.parameter("comp").unwrap_or_default().to_ascii_lowercase();
        let restype = call.parameter("restype").unwrap_or_default().to_ascii_lowercase();
        let path = call.path.strip_prefix('/').unwrap_or(&call.path);
        // A blob's name is everything after the container, slashes included.
        let (container, blob) = path.split_once('/').map_or((path, ""), |(container, blob)| (container, blob));
        let (container, blob) = (decode(container), decode(blob));
        let place = match (container.is_empty(), blob.is_empty(), restype.as_str()) {
            (true, ..) => Place::Account,
            (false, true, "container") => Place::Container(container),
            (false, true, _) => Place::Blob("$root".into(), container),
            _ => Place::Blob(container, blob),
        };
        match &place {
            Place::Container(name) | Place::Blob(name, _) if !is_container_name(name) => {
                return Err(problem(
                    400,
                    "InvalidResourceName",
                    "The specified resource name contains invalid characters.",
                ));
            }
            Place::Blob(_, name) if name.chars().count() > LONGEST_NAME => {
                return Err(problem(
                    400,
                    "InvalidUri",
                    "The requested URI does not represent any resource on the server.",
                ));
            }
            _ => {}
        }
        Ok(Self { place, method: call.method.clone(), comp })
    }

    /// The container it is about.
    pub(super) fn container(&self) -> Option<&str> {
        match &self.place {
            Place::Account => None,
            Place::Container(name) | Place::Blob(name, _) => Some(name),
        }
    }

    /// The permission a role must give. Containers are guarded on the control plane, blobs on the data plane,
    /// although both are asked for here.
    pub(super) fn permission(&self) -> (Plane, &'static str) {
        let reads = matches!(self.method, Method::GET | Method::HEAD);
        let lists_blobs = matches!(self.place, Place::Container(_)) && self.comp == "list";
        if matches!(self.place, Place::Blob(..)) || lists_blobs {
            let action = if reads {
                "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read"
            } else if self.method == Method::DELETE {
                "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/delete"
            } else {
                "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/write"
            };
            return (Plane::Data, action);
        }
        let action = if reads {
            "Microsoft.Storage/storageAccounts/blobServices/containers/read"
        } else if self.method == Method::DELETE {
            "Microsoft.Storage/storageAccounts/blobServices/containers/delete"
        } else {
            "Microsoft.Storage/storageAccounts/blobServices/containers/write"
        };
        (Plane::Control, action)
    }

    pub(super) fn run(&self, state: &State, account: &StorageAccount, call: &Call) -> Result<Reply, Reply> {
        unsupported_feature(call)?;
        let mut accounts = state.blobs.lock();
        let Some(held) = accounts.of(&account.name) else {
            return Err(problem(404, "ResourceNotFound", "There is no such storage account."));
        };
        match (&self.place, self.method.as_str(), self.comp.as_str()) {
            (Place::Account, "GET", "list") => containers::list(held, call),
            (Place::Container(name), "PUT", "") => containers::create(held, name, call),
            (Place::Container(name), "GET" | "HEAD", "" | "metadata") => containers::properties(held, name),
            (Place::Container(name), "DELETE", "") => containers::delete(held, name),
            (Place::Container(name), "GET", "list") => containers::list_blobs(held, name, call),
            (Place::Blob(container, name), method, comp) => {
                let container = containers::find(held, container)?;
                match (method, comp) {
                    ("PUT", "") => blobs::put(container, name, call),
                    ("PUT", "block") => blobs::put_block(container, name, call),
                    ("PUT", "blocklist") => blobs::put_block_list(container, name, call),
                    ("GET", "blocklist") => blobs::block_list(container, name, call),
                    ("PUT", "metadata") => blobs::set_metadata(container, name, call),
                    ("GET" | "HEAD", "") => blobs::get(container, name, call),
                    ("GET" | "HEAD", "metadata") => blobs::metadata(container, name, call),
                    ("DELETE", "") => blobs::delete(container, name, call),
                    _ => Err(self.not_emulated()),
                }
            }
            _ => Err(self.not_emulated()),
        }
    }

    fn not_emulated(&self) -> Reply {
        let place = match self.place {
            Place::Account => "an account",
            Place::Container(_) => "a container",
            Place::Blob(..) => "a blob",
        };
        let comp = if self.comp.is_empty() { String::new() } else { format!(" comp={}", self.comp) };
        problem(501, "NotImplemented", format!("The emulator does not answer {}{comp} of {place}.", self.method))
    }
}

/// Refuses what would be ignored otherwise.
fn unsupported_feature(call: &Call) -> Result<(), Reply> {
    let refuse =
        |what: &str| Err(problem(501, "NotImplemented", format!("The emulator does not answer requests with {what}.")));
    for header in [
        "content-md5",
        "x-ms-content-crc64",
        "x-ms-structured-body",
        "x-ms-copy-source",
        "x-ms-encryption-key",
        "x-ms-encryption-scope",
        "x-ms-if-tags",
        "x-ms-tags",
        "if-modified-since",
        "if-unmodified-since",
    ] {
        if call.headers.contains_key(header) {
            return refuse(&format!("the header {header}"));
        }
    }
    for parameter in ["snapshot", "versionid"] {
        if call.parameter(parameter).is_some() {
            return refuse(&format!("the parameter {parameter}"));
        }
    }
    if call.headers.contains_key("x-ms-lease-id") {
        return Err(problem(412, "LeaseNotPresentWithBlobOperation", "There is currently no lease on the blob."));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Operation, Place};
    use crate::call::Call;
    use crate::rbac::roles::Plane;

    fn operation(method: &str, target: &str) -> Operation {
        Operation::of(&Call::test(method, "a.blob.core.windows.net", target)).expect("operation")
    }

    #[test]
    fn names_keep_their_slashes() {
        let place = operation("GET", "/orders/2026/11%2F24/a%20b.txt").place;
        assert_eq!(place, Place::Blob("orders".into(), "2026/11/24/a b.txt".into()));
        assert_eq!(operation("GET", "/orders?restype=container").place, Place::Container("orders".into()));
    }

    #[test]
    fn permissions() {
        let (plane, action) = operation("PUT", "/orders?restype=container").permission();
        assert!(plane == Plane::Control && action.ends_with("containers/write"));
        let (plane, action) = operation("GET", "/orders?restype=container&comp=list").permission();
        assert!(plane == Plane::Data && action.ends_with("blobs/read"));
        let (plane, action) = operation("DELETE", "/orders/a").permission();
        assert!(plane == Plane::Data && action.ends_with("blobs/delete"));
    }
}
