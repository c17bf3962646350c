//! Several credentials in a row.

mod chained;
mod default;
mod selection;
mod walk;

pub use chained::ChainedTokenCredential;
pub use default::{DefaultAzureCredential, DefaultAzureCredentialOptions};
