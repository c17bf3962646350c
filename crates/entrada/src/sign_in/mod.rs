//! How people sign in: who they are, how their tokens are renewed without them, and the ways to ask them.

mod account;
mod device_code;
mod record;
mod renewal;
mod session;

pub(crate) use account::account;
pub(crate) use device_code::DeviceCode;
pub use device_code::{DeviceCodeInfo, PromptCallback};
pub use record::AuthenticationRecord;
pub(crate) use renewal::renew;
pub(crate) use session::{Session, management_scope, session_credential};
