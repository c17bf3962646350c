//! How people sign in: who they are, how their tokens are renewed without them, and the ways to ask them.

mod account;
mod browser;
mod device_code;
mod page;
mod record;
mod redirect_listener;
pub(crate) mod redirect_request;
mod redirect_uri;
mod renewal;
mod session;
mod web_browser;

pub(crate) use account::account;
pub(crate) use browser::Browser;
pub(crate) use device_code::DeviceCode;
pub use device_code::{DeviceCodeInfo, PromptCallback};
pub use record::AuthenticationRecord;
pub(crate) use redirect_uri::RedirectUri;
pub(crate) use renewal::renew;
pub(crate) use session::{Session, management_scope, session_credential};
